package archive

import (
	"bytes"
	"strings"
	"time"
)

// looks is what the beginning of a file looks like.
type looks int

const (
	looksOther looks = iota
	looksEmpty
	looksMessage
	looksMbox
)

// strong are fields that only mail has; weak are those that notes and settings have too.
var strong, weak = names("received return-path delivered-to message-id mime-version dkim-signature " +
	"x-original-to envelope-to references in-reply-to x-mailer reply-to content-transfer-encoding " +
	"x-mozilla-status x-gmail-labels authentication-results arc-seal"), names(
	"from to cc bcc subject date sender content-type status")

func names(list string) map[string]bool {
	m := make(map[string]bool)
	for _, name := range strings.Fields(list) {
		m[name] = true
	}
	return m
}

// sniff decides by the first kilobytes of a file.
func sniff(head []byte) looks {
	head = bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	if len(head) == 0 {
		return looksEmpty
	}
	text := bytes.TrimLeft(head, "\r\n")
	if line, rest := cutLine(text); separates(line, rest, true) {
		return looksMbox
	}
	if headerLike(text) {
		return looksMessage
	}
	return looksOther
}

// headerLike says whether a header section begins here: one strong field, two weak ones, or a weak
// one in a section of nothing but fields. Lines that are none may come between; mail is like that.
func headerLike(text []byte) bool {
	weaks, fields, others := 0, 0, 0
	for n := 0; n < 60; n++ {
		line, rest := cutLine(text)
		if len(line) == 0 {
			return weaks > 0 && others == 0 && fields > 0
		}
		name, isField := fieldName(line)
		switch {
		case isField && strong[name]:
			return true
		case isField && weak[name]:
			weaks++
			fields++
		case isField:
			fields++
		case line[0] == ' ' || line[0] == '\t':
			if name, ok := fieldName(bytes.TrimSpace(line)); n == 0 && ok && weak[name] {
				weaks++
			}
		default:
			others++
		}
		if weaks > 1 {
			return true
		}
		if others > 3 {
			return false
		}
		if text = rest; len(text) == 0 {
			return weaks > 0 && others == 0
		}
	}
	return false
}

// fieldName returns the lower-case name of a header field, with or without space before the colon.
func fieldName(line []byte) (string, bool) {
	i := bytes.IndexByte(line, ':')
	if i < 1 || i > 40 {
		return "", false
	}
	name := bytes.TrimRight(line[:i], " \t")
	for _, c := range name {
		if c <= ' ' || c > 126 {
			return "", false
		}
	}
	return strings.ToLower(string(name)), len(name) > 0
}

// separates says whether a line begins a message of an mbox. After an empty line, or at the
// beginning of the file, it must carry a date or be followed by a field that mail has; after another
// line both (RFC 4155; quoting is not to be relied on).
func separates(line, rest []byte, afterEmpty bool) bool {
	if !bytes.HasPrefix(line, []byte("From ")) {
		return false
	}
	_, dated := postmark(line)
	next, _ := cutLine(rest)
	name, field := fieldName(next)
	field = field && (strong[name] || weak[name])
	if afterEmpty {
		return dated || field
	}
	return dated && field
}

var postmarkLayouts = []string{
	"Mon Jan 2 15:04:05 2006", "Mon Jan 2 15:04:05 2006 -0700", "Mon Jan 2 15:04:05 -0700 2006",
	"Mon Jan 2 15:04:05 MST 2006", "Mon Jan 2 15:04 2006", "Mon, 2 Jan 2006 15:04:05 -0700",
}

// postmark reads the date of a "From " line; without a zone it is UTC (RFC 4155).
func postmark(line []byte) (time.Time, bool) {
	words := strings.Fields(string(line[:min(len(line), 512)]))
	for i := 1; i < len(words) && i < 12; i++ {
		if len(words[i]) < 3 || !strings.Contains("Mon Tue Wed Thu Fri Sat Sun", words[i][:3]) {
			continue
		}
		date := strings.Join(words[i:min(len(words), i+6)], " ")
		for _, layout := range postmarkLayouts {
			if t, err := time.Parse(layout, date); err == nil {
				return t.UTC(), true
			}
		}
	}
	return time.Time{}, false
}

// cutLine returns the first line without its end, and what follows.
func cutLine(b []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(b, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), rest
}
