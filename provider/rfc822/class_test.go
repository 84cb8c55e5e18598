package rfc822_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider/rfc822"
)

func readHeader(t testing.TB, lines string) rfc822.Header {
	t.Helper()
	h, err := rfc822.ReadHeader(strings.NewReader(lines+"\n"), rfc822.Limits{})
	require.NoError(t, err)
	return h
}

// TestSignalsOfTheHeader has a row for each signal of the decision table; a row without From has a
// person as its sender.
func TestSignalsOfTheHeader(t *testing.T) {
	t.Parallel()
	const (
		human, auto, bounce = rfc822.ClassHuman, rfc822.ClassAutoReply, rfc822.ClassBounce
		bulk, system, meet  = rfc822.ClassBulk, rfc822.ClassNoReply, rfc822.ClassCalendar
	)
	type signals = rfc822.Signals
	for _, c := range []struct {
		name   string
		header string
		want   signals
	}{
		{"a person", "Subject: hello\n", signals{Class: human}},
		{"null return path", "Return-Path: <>\n",
			signals{Class: bounce, Report: true, NoAutoReply: true, NullReturnPath: true}},
		{"null return path with a space", "Return-Path: < >\n",
			signals{Class: bounce, Report: true, NoAutoReply: true, NullReturnPath: true}},
		{"another return path decides nothing", "Return-Path: <b-17@mailer.example>\n",
			signals{Class: human}},
		{"delivery report", "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n",
			signals{Class: bounce, Report: true, NoAutoReply: true}},
		{"delivery report, UTF-8", "Content-Type: multipart/report; report-type=global-delivery-status\n",
			signals{Class: bounce, Report: true, NoAutoReply: true}},
		{"complaint", "Content-Type: multipart/report; report-type=feedback-report\n",
			signals{Class: system, Report: true, NoAutoReply: true, Complaint: true}},
		{"read receipt", "Content-Type: multipart/report; report-type=disposition-notification\n",
			signals{Class: auto, Report: true, NoAutoReply: true, ReadReceipt: true}},
		{"mailer-daemon", "From: Mail System <MAILER-DAEMON@mx.example>\n",
			signals{Class: bounce, Report: true, NoAutoReply: true}},
		{"mailer-daemon without a domain", "From: MAILER-DAEMON (Mail System)\n",
			signals{Class: bounce, Report: true, NoAutoReply: true}},
		{"postmaster", "From: postmaster@mx.example\n",
			signals{Class: bounce, Report: true, NoAutoReply: true}},
		{"Exchange", "From: <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@a.example>\n",
			signals{Class: bounce, Report: true, NoAutoReply: true}},
		{"failed recipients", "X-Failed-Recipients: bob@b.example\n",
			signals{Class: bounce, NoAutoReply: true}},
		{"auto-replied", "Auto-Submitted: auto-replied\n", signals{Class: auto, NoAutoReply: true}},
		{"auto-replied with a comment", "Auto-Submitted: auto-replied (vacation)\n",
			signals{Class: auto, NoAutoReply: true}},
		{"auto-replied beats the null return path", "Return-Path: <>\nAuto-Submitted: auto-replied\n",
			signals{Class: auto, Report: true, NoAutoReply: true, NullReturnPath: true}},
		{"auto-generated", "Auto-Submitted: auto-generated\n", signals{Class: system, NoAutoReply: true}},
		{"auto-notified", "Auto-Submitted: auto-notified; owner-email=a@a.example\n",
			signals{Class: system, NoAutoReply: true}},
		{"not auto-submitted", "Auto-Submitted: no\n", signals{Class: human}},
		{"suppress all", "X-Auto-Response-Suppress: All\n", signals{Class: human, NoAutoReply: true}},
		{"suppress out of office", "X-Auto-Response-Suppress: DR, OOF, RN\n",
			signals{Class: human, NoAutoReply: true}},
		{"suppress receipts only", "X-Auto-Response-Suppress: DR, RN\n", signals{Class: human}},
		{"precedence bulk", "Precedence: bulk\n", signals{Class: bulk, NoAutoReply: true}},
		{"precedence list", "Precedence: list\n", signals{Class: bulk, NoAutoReply: true}},
		{"precedence junk", "Precedence: Junk\n", signals{Class: bulk, NoAutoReply: true}},
		{"precedence auto_reply", "Precedence: auto_reply\n", signals{Class: auto, NoAutoReply: true}},
		{"autoreply field", "X-Autoreply: yes\n", signals{Class: auto, NoAutoReply: true}},
		{"autoreply field says no", "X-Autoreply: no\n", signals{Class: human}},
		{"autorespond field", "X-Autorespond: Re: hello\n", signals{Class: auto, NoAutoReply: true}},
		{"subject of Exchange", "Subject: Automatic reply: offer\n",
			signals{Class: auto, NoAutoReply: true}},
		{"subject in German", "Subject: =?utf-8?q?Abwesenheitsnotiz:_Angebot?=\n",
			signals{Class: auto, NoAutoReply: true}},
		{"subject in Japanese", "Subject: =?utf-8?b?6Ieq5YuV5b+c562U?=\n",
			signals{Class: auto, NoAutoReply: true}},
		{"a person about the office", "Subject: Out of office next week\n", signals{Class: human}},
		{"a person answers an auto reply", "Subject: Re: Automatic reply: offer\n", signals{Class: human}},
		{"a person about cars", "Subject: Auto parts\n", signals{Class: human}},
		{"list id", "List-Id: <dev.a.example>\n", signals{Class: bulk, NoAutoReply: true}},
		{"list post", "List-Post: <mailto:dev@a.example>\n", signals{Class: bulk, NoAutoReply: true}},
		{"unsubscribe alone", "List-Unsubscribe: <https://a.example/u>\n",
			signals{Class: human, NoAutoReply: true, BulkHint: true}},
		{"feedback id", "Feedback-ID: 1:2:3\n", signals{Class: human, BulkHint: true}},
		{"campaign", "X-Campaign-Id: 7\n", signals{Class: human, BulkHint: true}},
		{"mailgun", "X-Mailgun-Sid: x\n", signals{Class: human, BulkHint: true}},
		{"ses", "X-SES-Outgoing: x\n", signals{Class: human, BulkHint: true}},
		{"no-reply", "From: no-reply@a.example\n", signals{Class: system, NoAutoReply: true}},
		{"noreply with a tag", "From: NoReply+77@a.example\n", signals{Class: system, NoAutoReply: true}},
		{"donotreply", "From: do_not_reply@a.example\n", signals{Class: system, NoAutoReply: true}},
		{"notifications-noreply", "From: notifications-noreply@a.example\n",
			signals{Class: system, NoAutoReply: true}},
		{"bounces", "From: bounces-12@a.example\n", signals{Class: system, NoAutoReply: true}},
		{"a person called Bouncer", "From: bouncer@a.example\n", signals{Class: human}},
		{"request", "From: dev-request@a.example\n", signals{Class: system, NoAutoReply: true}},
		{"owner", "From: owner-dev@a.example\n", signals{Class: system, NoAutoReply: true}},
		{"invitation", "Content-Type: text/calendar; method=REQUEST\n",
			signals{Class: meet, NoAutoReply: true}},
		{"answer to an invitation", "Content-Type: text/calendar; method=\"REPLY\"\n",
			signals{Class: meet, NoAutoReply: true, CalendarReply: true}},
		{"cancellation", "Content-Type: text/calendar; charset=utf-8; method=cancel\n",
			signals{Class: meet, NoAutoReply: true, CalendarReply: true}},
		{"a published calendar", "Content-Type: text/calendar; method=PUBLISH\n", signals{Class: human}},
		{"invitation of Outlook", "Content-Class: urn:content-classes:calendarmessage\n",
			signals{Class: meet, NoAutoReply: true}},
	} {
		if !strings.Contains(c.header, "From:") {
			c.header = "From: Ann Lee <ann@a.example>\n" + c.header
		}
		require.Equal(t, c.want, readHeader(t, c.header).Signals(), c.name)
	}
}

func TestSignalsAreCompletedByTheParts(t *testing.T) {
	t.Parallel()
	invitation := "From: ann@a.example\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\nlunch?\n" +
		"--b\nContent-Type: text/calendar\n\nBEGIN:VCALENDAR\nMETHOD:REPLY\nBEGIN:VEVENT\n--b--\n"
	for _, c := range []struct {
		name string
		raw  string
		want rfc822.Signals
	}{
		{"the calendar itself names its method", invitation,
			rfc822.Signals{Class: rfc822.ClassCalendar, CalendarReply: true, NoAutoReply: true}},
		{"a postmaster who writes himself",
			"From: postmaster@a.example\nSubject: new mail server\n\nWe move on Monday, Ann.\n",
			rfc822.Signals{Class: rfc822.ClassNoReply, Report: true, NoAutoReply: true}},
		{"a null return path without anything undelivered",
			"Return-Path: <>\nFrom: ann@a.example\nSubject: hello\n\nI am away until Monday.\n",
			rfc822.Signals{Class: rfc822.ClassAutoReply, Report: true, NoAutoReply: true, NullReturnPath: true}},
		{"a person forwards a bounce",
			"From: ann@a.example\nSubject: Fwd: Undeliverable: hello\n\nBob, what is this?\n" +
				"550 5.1.1 <bob@b.example>: user unknown\n",
			rfc822.Signals{Class: rfc822.ClassHuman}},
	} {
		require.Equal(t, c.want, parse(t, []byte(c.raw)).Signals, c.name)
	}
}
