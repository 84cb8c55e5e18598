package rfc822_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/rfc822"
)

func report(kind, machine string) []byte {
	return []byte("From: mailer-daemon@mx.example\nTo: ann@a.example\n" +
		"Content-Type: multipart/report; report-type=" + kind + "; boundary=b\n\n" +
		parts2([]string{"\nwords for people", machine,
			"Content-Type: text/rfc822-headers\n\nMessage-ID: <sent@a.example>\nX-Google-Original-Message-ID: <ours@a.example>\n" +
				"References: <first@b.example>\n"}, "b"))
}

func TestReportOfDelivery(t *testing.T) {
	t.Parallel()
	m := parse(t, report("delivery-status", "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n"+
		"Original-Recipient: rfc822;bob@b.example\nFinal-Recipient: rfc822;bob.r@b.example\nAction: failed\nStatus: 5.1.1\n"+
		"Diagnostic-Code: smtp; 550 5.1.1 no\n such user\n\n"+
		"Final-Recipient: rfc822; eve@e.example\nAction: delayed\nStatus: 4.4.1 (no answer)\n"+
		"Final-Recipient: rfc822; full@e.example\nAction: failed\nStatus: 5.2.2\nDiagnostic-Code: smtp; 552 mailbox full\n"))
	require.Equal(t, &rfc822.Report{
		Kind: rfc822.ReportDelivery,
		Recipients: []rfc822.ReportRecipient{
			{Address: "bob@b.example", Action: "failed", Status: "5.1.1", Diagnostic: "550 5.1.1 no such user",
				Permanent: true, Hard: true},
			{Address: "eve@e.example", Action: "delayed", Status: "4.4.1"},
			{Address: "full@e.example", Action: "failed", Status: "5.2.2", Diagnostic: "552 mailbox full", Permanent: true},
		},
		OriginalID:  "sent@a.example",
		OriginalIDs: []string{"sent@a.example", "ours@a.example", "first@b.example"},
	}, m.Report)
	require.True(t, m.Report.Failed())
}

func TestReportOfDelayIsNoFailure(t *testing.T) {
	t.Parallel()
	m := parse(t, report("delivery-status", "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n"+
		"Final-Recipient: rfc822; eve@e.example\nAction: delayed\nStatus: 4.4.1\n"))
	require.True(t, m.Report.Delayed)
	require.False(t, m.Report.Failed())
	require.False(t, m.Report.Recipients[0].Permanent)
}

func TestReportOfComplaint(t *testing.T) {
	t.Parallel()
	m := parse(t, report("feedback-report", "Content-Type: message/feedback-report\n\nFeedback-Type: abuse\n"+
		"Version: 1\nOriginal-Rcpt-To: <bob@b.example>\n"))
	require.Equal(t, rfc822.ReportFeedback, m.Report.Kind)
	require.Equal(t, "abuse", m.Report.Feedback)
	require.Equal(t, "bob@b.example", m.Report.Recipients[0].Address)
	require.Equal(t, "sent@a.example", m.Report.OriginalID)
	require.True(t, m.Signals.Complaint)
}

func TestReportOfReading(t *testing.T) {
	t.Parallel()
	m := parse(t, report("disposition-notification", "Content-Type: message/disposition-notification\n\n"+
		"Final-Recipient: rfc822;bob@b.example\nOriginal-Message-ID: <read@a.example>\n"+
		"Disposition: manual-action/MDN-sent-manually; displayed\n"))
	require.Equal(t, rfc822.ReportDisposition, m.Report.Kind)
	require.Equal(t, "read@a.example", m.Report.OriginalID)
	require.Equal(t, []rfc822.ReportRecipient{{Address: "bob@b.example", Action: "displayed"}}, m.Report.Recipients)
	require.True(t, m.Signals.ReadReceipt)
	require.Equal(t, rfc822.ClassAutoReply, m.Signals.Class)
}

func TestReportKeepsDiagnosticsShort(t *testing.T) {
	t.Parallel()
	m := parse(t, report("delivery-status", "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n"+
		"Final-Recipient: rfc822; eve@e.example\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 "+
		strings.Repeat("é", 2000)+"\n"))
	require.Len(t, m.Report.Recipients[0].Diagnostic, 500)
}
