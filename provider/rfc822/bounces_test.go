package rfc822_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/rfc822"
)

// verdict is what the authors of the collection say about one recipient.
type verdict struct {
	DSN        string
	Reason     string
	Hardbounce bool
}

// invented says that the status was made up by the reader of the collection: the report has none.
func (v verdict) invented() bool { return strings.Contains(v.DSN, ".0.9") }

const (
	saysUnknown = "the text says that the user is unknown; the collection suspects a filter"
	statusField = "the Status field of the report says so"
	forwarded   = "a report in running text inside another one; only the outer one is read"
	stillTried  = "the report says that delivery is still being tried"
)

// bounceDiffers are the verdicts in which we differ on purpose, by file, aspect and recipient.
var bounceDiffers = map[string]string{
	"lhost-activehunter-02.eml hard 0":    saysUnknown,
	"lhost-amazonses-02.eml hard 0":       saysUnknown,
	"lhost-amazonworkmail-02.eml hard 0":  saysUnknown,
	"lhost-courier-02.eml hard 0":         saysUnknown,
	"lhost-mailru-07.eml hard 0":          saysUnknown,
	"lhost-messagingserver-06.eml hard 0": saysUnknown,
	"lhost-messagingserver-08.eml hard 0": saysUnknown,
	"lhost-mfilter-01.eml hard 0":         saysUnknown,
	"lhost-mxlogic-03.eml hard 0":         saysUnknown,
	"lhost-sendmail-27.eml hard 0":        saysUnknown,
	"lhost-sendmail-40.eml hard 0":        saysUnknown,
	"lhost-sendmail-51.eml hard 0":        saysUnknown,
	"lhost-surfcontrol-01.eml hard 0":     saysUnknown,
	"lhost-x1-01.eml hard 0":              saysUnknown,
	"lhost-yahoo-06.eml hard 0":           saysUnknown,
	"rfc3464-01.eml hard 0":               saysUnknown,
	"rfc3464-35.eml hard 2":               saysUnknown,
	"rfc3464-42.eml hard 0":               saysUnknown,
	"rhost-kddi-01.eml hard 0":            saysUnknown,
	"rhost-nttdocomo-02.eml hard 0":       saysUnknown,
	"rhost-nttdocomo-03.eml hard 0":       saysUnknown,
	"lhost-x2-01.eml hard 0":              saysUnknown,
	"lhost-zoho-03.eml hard 0":            "the text says that the address is invalid",
	"lhost-v5sendmail-07.eml hard 0":      "the transcript mixes the words about three addresses",
	"lhost-outlook-08.eml hard 0":         "unavailable is not unknown: RFC 5321 uses 550 for policies too",
	"lhost-opensmtpd-12.eml hard 0":       stillTried,
	"lhost-opensmtpd-12.eml permanent 0":  stillTried,
	"lhost-opensmtpd-15.eml permanent 0":  stillTried,
	"lhost-opensmtpd-16.eml permanent 0":  stillTried,
	"lhost-exim-07.eml permanent 0":       "the text says that the error is permanent",
	"lhost-postfix-49.eml permanent 0":    forwarded,
	"lhost-postfix-50.eml permanent 0":    forwarded,
	"lhost-postfix-49.eml status 0":       forwarded,
	"lhost-postfix-50.eml status 0":       forwarded,
	"lhost-amazonses-17.eml status 0":     statusField,
	"lhost-exchange2007-05.eml status 0":  statusField,
	"lhost-sendmail-10.eml status 0":      statusField,
	"lhost-sendmail-33.eml status 0":      statusField,
	"lhost-sendmail-39.eml status 0":      statusField,
	"lhost-amazonses-09.eml class":        "a notification in JSON, meant for a program",
	"lhost-amazonses-09.eml recipients":   "a notification in JSON, meant for a program",
	"rfc3464-28.eml recipients":           "two messages in one file; one is read",
}

func TestBouncesAreReadAsTheirCollectionSays(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/bounces/expected.json")
	require.NoError(t, err)
	var expected map[string][]verdict
	require.NoError(t, json.Unmarshal(raw, &expected))
	agreed, checked := map[string]int{}, map[string]int{}
	for _, s := range samples(t, "bounces/*.eml") {
		want := expected[s.name]
		require.NotEmpty(t, want, s.name)
		for aspect, diff := range compareBounce(parse(t, s.raw), want) {
			kind, _, _ := strings.Cut(aspect, " ")
			checked[kind]++
			key := s.name + " " + aspect
			if diff == "" {
				agreed[kind]++
				require.Empty(t, bounceDiffers[key], "%s agrees now", key)
			} else {
				require.NotEmpty(t, bounceDiffers[key], "%s: %s", key, diff)
			}
		}
	}
	require.Equal(t, 271, checked["class"], "bounces read")
	for _, kind := range []string{"class", "recipients", "hard", "permanent", "status"} {
		t.Logf("%s: %d of %d agree", kind, agreed[kind], checked[kind])
	}
}

// compareBounce returns for each aspect what differs, or "".
func compareBounce(m *rfc822.Message, want []verdict) map[string]string {
	diff := map[string]string{}
	compare := func(aspect string, got, want any, detail string) {
		diff[aspect] = ""
		if got != want {
			diff[aspect] = fmt.Sprintf("got %v, want %v (%s)", got, want, detail)
		}
	}
	class := string(m.Signals.Class)
	if m.Signals.Complaint {
		class = "complaint"
	}
	switch want[0].Reason {
	case "feedback":
		compare("class", class, "complaint", want[0].Reason)
		return diff
	case "vacation":
		compare("class", class, string(rfc822.ClassAutoReply), want[0].Reason)
		return diff
	}
	compare("class", class, string(rfc822.ClassBounce), want[0].Reason)
	var got []rfc822.ReportRecipient
	if m.Report != nil {
		got = m.Report.Recipients
	}
	compare("recipients", len(got), len(want), want[0].Reason)
	for i := range min(len(got), len(want)) {
		at := fmt.Sprintf(" %d", i)
		detail := fmt.Sprintf("%s, %s, %s", want[i].Reason, got[i].Action, got[i].Diagnostic)
		compare("hard"+at, got[i].Hard, want[i].Hardbounce, detail)
		compare("permanent"+at, got[i].Permanent, strings.HasPrefix(want[i].DSN, "5"), detail)
		if !want[i].invented() {
			compare("status"+at, got[i].Status, want[i].DSN, detail)
		}
	}
	return diff
}
