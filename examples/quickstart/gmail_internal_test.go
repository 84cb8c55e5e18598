package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
)

func TestGmailSaysWhatTheSampleSays(t *testing.T) {
	t.Parallel()
	disk, gmail := tryJSON(t), tryJSON(t, "-gmail")
	require.Equal(t, disk.Stored, gmail.Stored)
	require.Equal(t, totals(disk), totals(gmail), "messages, tickets, customers, companies")
	require.Less(t, gmail.Listed, disk.Listed/2, "mail of strangers outside the threads of clients is not looked at")
	require.Zero(t, gmail.Rejected[filter.Excluded], "nobody asks for what is excluded")
}

func TestGmailTakesTheFourSteps(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := try(t, "-gmail", "-client", "Oracle=oracle.com")
	require.Zero(t, code, stderr)
	for _, line := range []string{"A mailbox of gmail, at", "1. Created inbox", "2. Chose what may enter",
		"3. Connected at", "4. Shared with 3 teammates"} {
		require.Contains(t, stdout, line)
	}
}

func TestGmailFlagsThatDoNotGoTogether(t *testing.T) {
	t.Parallel()
	db := t.TempDir() + "/x.db"
	for _, row := range []struct {
		args []string
		want string
	}{
		{[]string{"-gmail", "-mail", "x.mbox"}, "-gmail goes without -mail"},
		{[]string{"-gmail", "-me", "a@b.example"}, "-gmail goes without"},
		{[]string{"-gmail", "-db", db}, "the test server's mailbox is gone with the run"},
	} {
		code, stdout, stderr := try(t, row.args...)
		require.Equal(t, 1, code, "%q", row.args)
		require.Empty(t, stdout)
		require.Contains(t, stderr, row.want)
	}
	require.NoFileExists(t, db, "it would stand in the way of the next run")
}

func TestHalfAClientIsNamed(t *testing.T) {
	t.Setenv(gmailID, "client")
	t.Setenv(gmailSecret, "")
	code, stdout, stderr := try(t, "-gmail")
	require.Equal(t, 1, code)
	require.Empty(t, stdout)
	require.Contains(t, stderr, gmailSecret+" is not")
}

func TestARedirectIsAwaitedOnTheLoopback(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	back := "http://" + l.Addr().String() + "/connected?state=s&code=c"
	var page string
	got, err := await(t.Context(), l, func(context.Context) error {
		resp, err := http.Get(back)
		if err != nil {
			return err
		}
		text, err := io.ReadAll(resp.Body)
		page = string(text)
		return err
	})
	require.NoError(t, err)
	require.Equal(t, url.Values{"state": {"s"}, "code": {"c"}}, got)
	require.Contains(t, page, "close this page")

	l, err = net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	_, err = await(ctx, l, func(context.Context) error { cancel(); return nil })
	require.ErrorIs(t, err, context.Canceled, "nobody came")
}

func TestThePersonIsShownThePage(t *testing.T) {
	t.Parallel()
	var said strings.Builder
	require.NoError(t, askPerson(t.Context(), "https://accounts.example/consent?x=y", &said))
	require.Contains(t, said.String(), "https://accounts.example/consent?x=y")
}
