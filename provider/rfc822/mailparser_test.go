package rfc822_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/rfc822"
)

// tree is a message as mail-parser saw it.
type tree struct {
	HTMLBody    []int `json:"html_body"`
	TextBody    []int `json:"text_body"`
	Attachments []int
	Parts       []struct {
		Headers []struct {
			Name  any
			Value json.RawMessage
		}
		Body map[string]json.RawMessage
	}
}

type treeDate struct {
	Year, Month, Day, Hour, Minute, Second int
	TZBeforeGMT                            bool `json:"tz_before_gmt"`
	TZHour                                 int  `json:"tz_hour"`
	TZMinute                               int  `json:"tz_minute"`
}

func (d treeDate) time() time.Time {
	offset := d.TZHour*3600 + d.TZMinute*60
	if d.TZBeforeGMT {
		offset = -offset
	}
	zone := time.FixedZone("", offset)
	return time.Date(d.Year, time.Month(d.Month), d.Day, d.Hour, d.Minute, d.Second, 0, zone).UTC()
}

// header returns the last value of a field of the part, decoded into v.
func (tr tree) header(part int, name, kind string, v any) bool {
	found := false
	for _, h := range tr.Parts[part].Headers {
		var value map[string]json.RawMessage
		if h.Name == name && json.Unmarshal(h.Value, &value) == nil && value[kind] != nil {
			found = json.Unmarshal(value[kind], v) == nil
		}
	}
	return found
}

func (tr tree) mediaType(part int) string {
	var ct struct {
		Type    string `json:"c_type"`
		Subtype string `json:"c_subtype"`
	}
	if !tr.header(part, "content_type", "ContentType", &ct) {
		return "text/plain"
	}
	return strings.ToLower(ct.Type + "/" + ct.Subtype)
}

// bodies joins the parts whose body is of the kind.
func (tr tree) bodies(parts []int, kind string) string {
	var all []string
	for _, i := range parts {
		var s string
		if json.Unmarshal(tr.Parts[i].Body[kind], &s) == nil {
			all = append(all, s)
		}
	}
	return squeeze(strings.Join(all, "\n"))
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

// treeDiffers are the aspects in which we differ from mail-parser on purpose.
var treeDiffers = map[string]string{
	"rfc/001.eml from": nameOnly, "rfc/001.eml to": nameOnly,
	"rfc/004.eml from": nameOnly, "rfc/004.eml to": nameOnly,
	"rfc/004.eml parts": "a part of a digest without a type is a message (RFC 2046 section 5.1.5)",
	"rfc/007.eml html":  "plain text beside the HTML belongs to what a reader sees",

	"malformed/001.eml text": innerEnd, "malformed/001.eml parts": openEnd,
	"malformed/002.eml text":  "a multipart whose boundary never occurs is shown as text",
	"malformed/002.eml parts": "a multipart whose boundary never occurs is shown as text",
	"malformed/003.eml text":  openEnd, "malformed/003.eml parts": openEnd,
	"malformed/004.eml text": lineWhole, "malformed/004.eml parts": lineWhole,
	"malformed/006.eml text": openEnd, "malformed/006.eml parts": openEnd,
	"malformed/007.eml parts": "the line after the closing boundary is no part",
	"malformed/008.eml text":  openEnd, "malformed/008.eml html": openEnd,
	"malformed/008.eml parts": openEnd,
	"malformed/009.eml text":  openEnd, "malformed/009.eml parts": openEnd,
	"malformed/011.eml text": openEnd, "malformed/011.eml parts": openEnd,
	"malformed/012.eml parts": openEnd,
	"malformed/016.eml text":  innerEnd,
	"malformed/016.eml parts": openEnd,
	"malformed/019.eml date":  "of two Date fields the first counts",
	"malformed/019.eml html":  hostile, "malformed/019.eml text": hostile,
	"malformed/020.eml text": lostDelimiter, "malformed/020.eml html": lostDelimiter,
	"malformed/021.eml text": lostDelimiter, "malformed/021.eml html": lostDelimiter,
}

const (
	lineWhole     = "boundary lines match whole; the boundary that does occur is used, and the text is found"
	nameOnly      = "a name without an address is no address"
	openEnd       = "text that no boundary ends is text all the same, not an attachment"
	innerEnd      = "the boundary of an ended multipart is text"
	hostile       = "a header inside a text is text"
	lostDelimiter = "the first delimiter is missing; the HTML that follows is better than raw MIME"
)

func TestParseAgreesWithMailParser(t *testing.T) {
	t.Parallel()
	checked, agreed := 0, 0
	for _, s := range samples(t, "mail-parser/rfc/*.eml", "mail-parser/malformed/*.eml") {
		for _, dir := range []string{"rfc", "malformed"} {
			path := filepath.Join("testdata/mail-parser", dir, strings.TrimSuffix(s.name, ".eml")+".json")
			eml, err := os.ReadFile(filepath.Join("testdata/mail-parser", dir, s.name))
			if err != nil || string(eml) != string(s.raw) {
				continue
			}
			raw, err := os.ReadFile(path)
			require.NoError(t, err)
			var want tree
			require.NoError(t, json.Unmarshal(raw, &want))
			for aspect, diff := range compareTree(parse(t, s.raw), want) {
				checked++
				key := dir + "/" + s.name + " " + aspect
				if diff == "" {
					agreed++
					require.Empty(t, treeDiffers[key], "%s agrees now", key)
				} else {
					require.NotEmpty(t, treeDiffers[key], "%s: %s", key, diff)
				}
			}
		}
	}
	require.GreaterOrEqual(t, checked, 150, "aspects compared")
	t.Logf("mail-parser: %d of %d aspects agree", agreed, checked)
}

// compareTree returns for each aspect that mail-parser has what differs, or "".
func compareTree(m *rfc822.Message, want tree) map[string]string {
	diff := map[string]string{}
	compare := func(aspect, got, want string) {
		diff[aspect] = ""
		if got != want {
			diff[aspect] = fmt.Sprintf("got %q, want %q", got, want)
		}
	}
	var subject string
	if want.header(0, "subject", "Text", &subject) {
		compare("subject", squeeze(m.Envelope.Subject), squeeze(subject))
	}
	var date treeDate
	if want.header(0, "date", "DateTime", &date) {
		compare("date", m.Envelope.Date.Format(time.RFC3339), date.time().Format(time.RFC3339))
	}
	var id string
	if want.header(0, "message_id", "Text", &id) {
		compare("message id", m.Envelope.MessageID, id)
	}
	for name, got := range map[string][]rfc822.Address{"from": m.Envelope.From, "to": m.Envelope.To} {
		var list struct {
			List []struct{ Name, Address string }
		}
		if want.header(0, name, "Address", &list) {
			compare(name, fmt.Sprint(got), fmt.Sprint(list.List))
		}
	}
	compare("text", squeeze(m.Text), want.bodies(want.TextBody, "Text"))
	compare("html", squeeze(m.HTML), want.bodies(want.HTMLBody, "Html"))
	var gotParts, wantParts []string
	for _, p := range m.Parts {
		gotParts = append(gotParts, p.Type)
	}
	for _, i := range want.Attachments {
		wantParts = append(wantParts, want.mediaType(i))
	}
	compare("parts", fmt.Sprint(gotParts), fmt.Sprint(wantParts))
	return diff
}
