package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/ticket"
)

func TestMailGoesWhereItIsWanted(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "team.db")
	mailbox := filepath.Join(t.TempDir(), "box.mbox")
	require.NoError(t, os.WriteFile(mailbox, oneMail("ann@acme.com"), 0o600))
	did := tryJSON(t, "-db", db, "-mail", mailbox, "-send-to", "ravi@team.example").Work
	require.Equal(t, 2, did.Mails)
	files, err := os.ReadDir(db + ".sent")
	require.NoError(t, err)
	require.Len(t, files, 2)
	for _, f := range files {
		raw, err := os.ReadFile(filepath.Join(db+".sent", f.Name()))
		require.NoError(t, err)
		require.Contains(t, string(raw), "\r\nTo: <ravi@team.example>\r\n")
	}
	left, err := os.ReadFile(mailbox)
	require.NoError(t, err)
	require.Equal(t, oneMail("ann@acme.com"), left, "the mail on disk is only read")
}

func oneMail(from string) []byte {
	return []byte("From - Thu Jun 01 08:00:00 2023\nFrom: <" + from + ">\nTo: me@team.example\n" +
		"Subject: hi\nMessage-ID: <1@acme.com>\nDate: Thu, 1 Jun 2023 08:00:00 +0000\n\nHello.\n")
}

func TestStepsThatCannotBeDoneAreLeftOut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, from := range map[string]string{"one.mbox": "ann@acme.com", "robot.mbox": "MAILER-DAEMON@acme.com"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), oneMail(from), 0o600))
	}
	for _, row := range []struct {
		name string
		args []string
		want []string
	}{
		{"one mail", []string{"-mail", filepath.Join(dir, "one.mbox")}, []string{
			"ravi merges nothing: no client has two more tickets\n", "ravi looks for nothing: no subject has words\n"}},
		{"mail of a machine", []string{"-mail", filepath.Join(dir, "robot.mbox")}, []string{
			"ravi answers nothing: no ticket has mail that can be answered\n", "ravi forwards ticket 1 to an expert: sent"}},
		{"no ticket", []string{"-client", "Acme=acme.com"}, []string{"There is no ticket to work on.\n"}},
		{"Gmail", []string{"-gmail"}, []string{"no mail leaves without -send-to", "ravi answers nothing, forwards nothing"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := try(t, row.args...)
			require.Zero(t, code, stderr)
			for _, want := range row.want {
				require.Contains(t, stdout, want)
			}
		})
	}
	require.NotEmpty(t, tryJSON(t, "-client", "Acme=acme.com").Work.LeftOut)
}

func TestGmailSendsWhereItIsTold(t *testing.T) {
	t.Parallel()
	require.Zero(t, tryJSON(t, "-gmail").Work.Mails, "sent without -send-to")
	did := tryJSON(t, "-gmail", "-send-to", "me@team.example").Work
	require.Equal(t, 2, did.Mails)
	require.Equal(t, ticket.OutgoingSent, did.Answer)
}
