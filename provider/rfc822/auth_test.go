package rfc822_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/rfc822"
)

func TestAuthenticationTrustsOnlyTheServiceItself(t *testing.T) {
	t.Parallel()
	const gmail = "mx.google.com"
	for _, c := range []struct {
		name, id, header string
		want             rfc822.Auth
	}{
		{"no field", gmail, "", rfc822.AuthNone},
		{"DMARC pass", gmail, "Authentication-Results: mx.google.com;\n dkim=pass header.i=@a.example;\n" +
			" spf=pass (google.com: domain of x@a.example designates 192.0.2.1; ok) smtp.mailfrom=x@a.example;\n" +
			" dmarc=pass (p=NONE sp=NONE dis=NONE) header.from=a.example\n", rfc822.AuthPass},
		{"DMARC fail beats SPF",
			gmail, "Authentication-Results: mx.google.com; spf=pass smtp.mailfrom=x@b.example; " +
				"dmarc=fail header.from=a.example\n", rfc822.AuthFail},
		{"DMARC pass for another From",
			gmail, "Authentication-Results: mx.google.com; dmarc=pass header.from=b.example\n",
			rfc822.AuthNone},
		{"aligned DKIM",
			gmail, "Authentication-Results: mx.google.com; dkim=pass header.d=mail.a.example\n", rfc822.AuthPass},
		{"DKIM of somebody else",
			gmail, "Authentication-Results: mx.google.com; dkim=pass header.d=b.example\n", rfc822.AuthNone},
		{"aligned SPF",
			gmail, "Authentication-Results: mx.google.com; spf=pass smtp.mailfrom=bounce@a.example\n", rfc822.AuthPass},
		{"SPF fail",
			gmail, "Authentication-Results: mx.google.com; spf=fail smtp.mailfrom=a@a.example\n", rfc822.AuthFail},
		{"SPF softfail says little",
			gmail, "Authentication-Results: mx.google.com; spf=softfail smtp.mailfrom=a@a.example\n",
			rfc822.AuthNone},
		{"none", gmail, "Authentication-Results: mx.google.com; none\n", rfc822.AuthNone},
		{"another service",
			gmail, "Authentication-Results: evil.example; dmarc=pass header.from=a.example\n", rfc822.AuthNone},
		{"forged field below",
			gmail, "Authentication-Results: mx.google.com; dmarc=fail header.from=a.example\n" +
				"Authentication-Results: mx.google.com; dmarc=pass header.from=a.example\n", rfc822.AuthFail},
		{"claim inside a comment", gmail,
			"Authentication-Results: mx.google.com; spf=none (x; dmarc=pass header.from=a.example) smtp.mailfrom=a\n",
			rfc822.AuthNone},
		{"version after the id",
			gmail, "Authentication-Results: mx.google.com 1; dmarc=pass header.from=a.example\n", rfc822.AuthPass},
		{"one malformed result",
			gmail, "Authentication-Results: mx.google.com; nonsense; dmarc=pass header.from=a.example\n",
			rfc822.AuthPass},
		{"Exchange Online writes no id", "",
			"Authentication-Results: spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=a.example; " +
				"dkim=pass header.d=a.example;dmarc=pass action=none header.from=a.example;compauth=pass reason=100\n",
			rfc822.AuthPass},
		{"no id asked for, one given", "",
			"Authentication-Results: evil.example; dmarc=pass header.from=a.example\n" +
				"Authentication-Results: dmarc=pass header.from=a.example\n", rfc822.AuthNone},
	} {
		got := rfc822.Authentication(readHeader(t, c.header+"From: Ann <ann@a.example>\n"), c.id)
		require.Equal(t, c.want, got, c.name)
	}
	two := readHeader(t, "Authentication-Results: mx.google.com; dmarc=pass header.from=a.example\n"+
		"From: ann@a.example, bob@b.example\n")
	require.Equal(t, rfc822.AuthNone, rfc822.Authentication(two, gmail), "nobody vouches for two senders")
}
