package gmail_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
)

func TestFindAfterALostAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name           string
		reply, foreign bool
		look           bool // in the thread
	}{
		{"new mail", false, false, false},
		{"reply, in its thread", true, false, true},
		{"reply, without its thread", true, false, false},
		{"went out without the foreign thread", true, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := newOffice(t, gmailtest.Config{Pipe: true})
				m := o.connect(t)
				raw, thread := letter("m-20", "Offer", ""), provider.ThreadID("")
				if c.reply {
					raw, thread = received(t, o, "m-20")
				}
				into := thread
				if c.foreign {
					into = "00000000deadbeef"
				}
				since := time.Now()
				lose := gmailtest.Fault{Method: "messages.send", Break: gmailtest.CloseServed}
				if c.foreign {
					lose.Skip = 1 // the first is refused because of the thread
				}
				o.s.Fail(lose)
				_, err := is[provider.Sender](t, m).Send(t.Context(), outgoing("m-20", raw, into))
				require.ErrorIs(t, err, provider.ErrAmbiguous)
				where := provider.ThreadID("")
				if c.look {
					where = into
				}
				sent, err := is[provider.Finder](t, m).Find(t.Context(), "m-20", where, since)
				require.NoError(t, err)
				require.Equal(t, o.a.Sent()[0].ID, string(sent.ID))
				require.Contains(t, string(o.a.Sent()[0].Raw), sent.MessageID)
				require.NotEmpty(t, sent.MessageID)
				require.NotEmpty(t, sent.Thread)
			})
		})
	}
}

func TestFindTellsThatThereIsNone(t *testing.T) {
	t.Parallel()
	o := newOffice(t, gmailtest.Config{})
	m := o.connect(t)
	// A client who copies our header field into an answer has not sent our mail.
	id := o.a.Deliver([]byte("From: bob@client.example\r\nTo: "+ownAddress+"\r\nSubject: x\r\n"+
		provider.MarkerHeader+": m-21\r\n\r\nHi\r\n"), gmailtest.Delivery{})
	f := is[provider.Finder](t, m)
	for _, thread := range []provider.ThreadID{"", provider.ThreadID(id), "00000000deadbeef", "no id"} {
		_, err := f.Find(t.Context(), "m-21", thread, time.Now())
		require.ErrorIs(t, err, provider.ErrGone, thread)
	}
	_, err := f.Find(t.Context(), "", "", time.Now())
	require.Error(t, err)
	require.NotErrorIs(t, err, provider.ErrGone, "a missing marker says nothing of the mail")
}

func TestFindLooksNotBeforeSince(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, gmailtest.Config{Pipe: true})
		m := o.connect(t)
		_, err := is[provider.Sender](t, m).Send(t.Context(), outgoing("m-22", letter("m-22", "Offer", ""), ""))
		require.NoError(t, err)
		time.Sleep(time.Hour)
		_, err = is[provider.Finder](t, m).Find(t.Context(), "m-22", "", time.Now())
		require.ErrorIs(t, err, provider.ErrGone)
		_, err = is[provider.Finder](t, m).Find(t.Context(), "m-22", "", time.Now().Add(-time.Hour))
		require.NoError(t, err)
	})
}

func TestFindGivesUpWithoutSayingThatThereIsNone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t, gmailtest.Config{Pipe: true})
		m := o.connect(t)
		for n := range 501 {
			o.a.Deliver([]byte(letter(fmt.Sprint("other-", n), "Offer", "")), gmailtest.Delivery{Sent: true})
		}
		_, err := is[provider.Finder](t, m).Find(t.Context(), "m-23", "", time.Now())
		require.Error(t, err)
		require.NotErrorIs(t, err, provider.ErrGone)
		require.Equal(t, 500, o.requests("messages.get"))
		require.Zero(t, o.s.Usage().Refused(), "the search keeps to the quota")
	})
}
