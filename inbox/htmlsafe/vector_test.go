package htmlsafe_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox/htmlsafe"
)

// vectors are ways to run script, load something or leave one's place that have worked in some
// browser or against some sanitiser; most are of the OWASP XSS filter evasion list and of reports
// on mutation XSS.
var vectors = []string{
	`<script>alert(1)</script>`,
	`<SCRIPT SRC=http://x.example/a.js></SCRIPT>`,
	`<scr<script>ipt>alert(1)</scr</script>ipt>`,
	`<script/src="http://x.example/a.js">`,
	`<<SCRIPT>alert(1);//\<</SCRIPT>`,
	`<img src=x onerror=alert(1)>`,
	`<img/src="x"/onerror=alert(1)>`,
	`<img """><script>alert(1)</script>">`,
	`<IMG SRC="javascript:alert(1)">`,
	`<a href="javascript:alert(1)">x</a>`,
	`<a href="JaVaScRiPt:alert(1)">x</a>`,
	"<a href=\"java\tscript:alert(1)\">x</a>",
	"<a href=\"java\nscript:alert(1)\">x</a>",
	`<a href="java&#x0A;script:alert(1)">x</a>`,
	`<a href="&#106;&#97;&#118;&#97;script:alert(1)">x</a>`,
	`<a href=" &#14; javascript:alert(1)">x</a>`,
	"<a href=\"\x01javascript:alert(1)\">x</a>",
	`<a href="vbscript:msgbox(1)">x</a>`,
	`<a href="data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==">x</a>`,
	`<a href="data:text/html,<script>alert(1)</script>">x</a>`,
	`<a href="file:///etc/passwd">x</a>`,
	`<a href="//x.example">x</a>`,
	`<a href="http:alert(1)">x</a>`,
	`<a href="cid:a">x</a>`,
	`<a href="https://x.example" ping="https://t.example" onmouseover=alert(1)>x</a>`,
	`<svg onload=alert(1)>`,
	`<svg><script>alert(1)</script></svg>`,
	`<svg><style><img src=x onerror=alert(1)></style></svg>`,
	`<svg></p><style><a id="</style><img src=1 onerror=alert(1)>">`,
	`<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>`,
	`<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">`,
	`<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>`,
	`<noscript><p title="</noscript><img src=x onerror=alert(1)>">`,
	`<textarea><img title="</textarea><img src=x onerror=alert(1)>">`,
	`<title><img title="</title><img src=x onerror=alert(1)>">`,
	`<xmp><p title="</xmp><img src=x onerror=alert(1)>">`,
	`<iframe><p title="</iframe><img src=x onerror=alert(1)>">`,
	`<noembed><p title="</noembed><img src=x onerror=alert(1)>">`,
	`<!--><img src=x onerror=alert(1)>-->`,
	`<!-- --!><img src=x onerror=alert(1)> -->`,
	`<!--[if gte IE 4]><script>alert(1)</script><![endif]-->`,
	`<![CDATA[<img src=x onerror=alert(1)>]]>`,
	`<?xml version="1.0"?><img src=x onerror=alert(1)>`,
	`<style>@import "http://x.example/a.css";</style>`,
	`<style></style><img src=x onerror=alert(1)></style>`,
	`<link rel=stylesheet href="http://x.example/a.css">`,
	`<meta http-equiv="refresh" content="0;url=javascript:alert(1)">`,
	`<base href="javascript:alert(1)//">`,
	`<iframe src="javascript:alert(1)"></iframe>`,
	`<iframe srcdoc="<script>alert(1)</script>"></iframe>`,
	`<object data="javascript:alert(1)"></object>`,
	`<embed src="http://x.example/a.swf">`,
	`<applet code="A.class"></applet>`,
	`<video src=x onerror=alert(1)><source onerror=alert(1)></video>`,
	`<audio src="http://x.example/a" autoplay></audio>`,
	`<input onfocus=alert(1) autofocus>`,
	`<input type=image src="http://x.example/a.png">`,
	`<button formaction="javascript:alert(1)">x</button>`,
	`<form action="https://x.example"><input name=password type=password></form>`,
	`<isindex action="javascript:alert(1)" type=image>`,
	`<details open ontoggle=alert(1)>x</details>`,
	`<marquee onstart=alert(1)>x</marquee>`,
	`<body onload=alert(1)>`,
	`<body background="http://x.example/a.png">`,
	`<table background="javascript:alert(1)"><td background="http://x.example/a.png">`,
	`<div style="background-image:url(http://x.example/a.png)">x</div>`,
	`<div style="background:url('javascript:alert(1)')">x</div>`,
	`<div style="background:u\72l(http://x.example/a.png)">x</div>`,
	`<div style="background:url&#40;http://x.example/a.png)">x</div>`,
	`<div style="background:/**/url(http://x.example/a.png)">x</div>`,
	`<div style="width: expression(alert(1))">x</div>`,
	`<div style="xss:expr/*XSS*/ession(alert(1))">x</div>`,
	`<div style="-moz-binding:url(http://x.example/a.xml#x)">x</div>`,
	`<div style="behavior:url(a.htc)">x</div>`,
	`<div style="list-style-image:url(http://x.example/a.png)">x</div>`,
	`<div style="content:url(http://x.example/a.png)">x</div>`,
	`<div style="cursor:url(http://x.example/a.cur)">x</div>`,
	`<div style="background:image-set('http://x.example/a.png' 1x)">x</div>`,
	`<div style="font-family:'a;background:url(http://x.example/a.png)'">x</div>`,
	`<div style="color:red&quot; onclick=&quot;alert(1)">x</div>`,
	`<div style="position:fixed;top:0;left:0;width:100%;height:100%;z-index:9">x</div>`,
	`<div style="margin-top:-5000px">x</div>`,
	`<img srcset="http://x.example/a.png 1x">`,
	`<picture><source srcset="http://x.example/a.png"><img src=x></picture>`,
	`<img src="http://x.example/a.png" usemap="#m"><map name=m><area href="javascript:alert(1)" shape=default></map>`,
	`<img lowsrc="http://x.example/a.png" dynsrc="http://x.example/a.png">`,
	`<img src="cid:a@b" data-cid="x' onerror='alert(1)">`,
	`<img data-cid="javascript:alert(1)" src=x>`,
	`<img src="data:image/svg+xml,<svg onload=alert(1)>">`,
	`<img src=` + "`javascript:alert(1)`" + `>`,
	`<blockquote cite="javascript:alert(1)">x</blockquote><q cite="http://x.example">y</q>`,
	`<del cite="http://x.example">x</del>`,
	`<template><script>alert(1)</script></template>`,
	`<select><option><img src=x onerror=alert(1)></option></select>`,
	`<a id=document name=cookie href="https://x.example">x</a><form id=body>`,
	`<p title="&quot; onmouseover=&quot;alert(1)">x</p>`,
	`<p title='" onmouseover="alert(1)'>x</p>`,
	`</div></div></td></tr></table></body><p>outside`,
	`<div><table><tr><td></div></div>x`,
	`<table><div><a href="https://x.example"></table></a></div>x`,
	`<a href="https://x.example"><a href="https://y.example">x`,
	`<b><p><a href="https://x.example"><b><p><a href="https://y.example"></b></a></p>`,
	`<nobr><nobr><h1><h2></h1>`,
	`<plaintext><img src=x onerror=alert(1)>`,
	`<frameset onload=alert(1)><frame src="javascript:alert(1)">`,
	`<layer src="http://x.example/a.js"></layer>`,
	`<xml id=i><x><c><![CDATA[<img src="javas]]><![CDATA[cript:alert(1);">]]></c></x></xml>`,
	"<img src=\"jav\x00ascript:alert(1)\">",
	"<scr\x00ipt>alert(1)</scr\x00ipt>",
	"<img \xff src=x onerror=alert(1)>",
	"\xff\xfe<\x00s\x00c\x00r\x00i\x00p\x00t\x00>",
	`+ADw-script+AD4-alert(1)+ADw-/script+AD4-`,
}

func TestCleanDisarmsKnownVectors(t *testing.T) {
	t.Parallel()
	for _, v := range vectors {
		checkSafe(t, v)
		checkSafe(t, v+v)
		checkSafe(t, `<div><p title="`+v+`">`+v)
	}
}

func TestCleanMayBeCalledConcurrently(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for _, v := range vectors {
				first := htmlsafe.Clean(v, htmlsafe.Options{}).String()
				if again := htmlsafe.Clean(v, htmlsafe.Options{}).String(); first != again {
					t.Errorf("%q cleaned: got %q and %q", v, first, again)
				}
			}
		})
	}
	wg.Wait()
	require.NotEmpty(t, vectors)
}
