package gmail_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
)

// A 404 says that a message is gone only where one was asked for.
func TestNotFoundWithoutAMessageIsNoMessageGone(t *testing.T) {
	t.Parallel()
	calls := map[string]func(t *testing.T, m provider.Mailbox) error{
		"messages.list": func(t *testing.T, m provider.Mailbox) error {
			for _, err := range m.Changes(t.Context(), "", provider.Walk{}) {
				if err != nil {
					return err
				}
			}
			return nil
		},
		"messages.list of Find": func(t *testing.T, m provider.Mailbox) error {
			_, err := m.(provider.Finder).Find(t.Context(), "marker", "", time.Time{})
			return err
		},
		"settings.sendAs.list": func(t *testing.T, m provider.Mailbox) error {
			_, err := m.(provider.Addresses).Account(t.Context())
			return err
		},
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := newOffice(t, gmailtest.Config{Pipe: true})
				m := o.connect(t)
				time.Sleep(time.Hour / 2) // what it knows of the account is old
				missing := func(method string) {
					o.s.Fail(gmailtest.Fault{Method: method, Times: -1, Reply: gmailtest.NotFound()})
				}
				missing("messages.list")
				missing("settings.sendAs.list")
				err := call(t, m)
				require.ErrorIs(t, err, provider.ErrRetry)
				require.False(t, errors.Is(err, provider.ErrGone), "%v", err)

				missing("getProfile")
				require.ErrorIs(t, call(t, m), provider.ErrAuth, "the account is gone")
			})
		})
	}
}
