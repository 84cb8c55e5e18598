package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/mail"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/gmail"
	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
)

// The environment's names of the OAuth client for the real Gmail.
const (
	gmailID     = "WORKINBOX_GMAIL_CLIENT_ID"
	gmailSecret = "WORKINBOX_GMAIL_CLIENT_SECRET"
)

func ownGmail() bool { return os.Getenv(gmailID) != "" }

// errTestServer says that a mailbox of the test server cannot be gone on with.
var errTestServer = errors.New("the test server's mailbox is gone with the run; " +
	"leave out -db, or set " + gmailID + " and " + gmailSecret)

// openGmail takes the real Gmail, or starts a server like it whose mailbox holds the sample.
func (h *host) openGmail(ctx context.Context, o options, sample source) (err error) {
	if ownGmail() {
		h.clock, h.browse = newClock(time.Now().UTC()), askPerson
		if h.kept != nil {
			h.me = h.kept.Account.Own()
		}
		// Without -send-to this program does nothing but read the mailbox.
		h.service, err = gmail.New(gmail.Options{
			ClientID: os.Getenv(gmailID), ClientSecret: os.Getenv(gmailSecret), ReadOnly: o.sendTo == "",
		})
		return err
	}
	server := gmailtest.New(nil, gmailtest.Config{})
	h.closers = append(h.closers, func() error { server.Close(); return nil })
	h.clock, h.browse = newClock(o.asOf), clickThrough
	if err := deliver(ctx, server.Account(o.me[0]), sample, o.me); err != nil {
		return err
	}
	e := server.Endpoints()
	h.service, err = gmail.New(gmail.Options{
		ClientID: gmailtest.ClientID, ClientSecret: gmailtest.ClientSecret,
		Endpoints: gmail.Endpoints{Auth: e.AuthURL, Token: e.TokenURL, Revoke: e.RevokeURL, API: e.APIURL},
	})
	return err
}

// clickThrough is the person at the test server: its page of consent sends them on at once.
func clickThrough(ctx context.Context, page string, _ io.Writer) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, page, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("page of consent: %s", resp.Status)
	}
	return errors.Join(err, resp.Body.Close())
}

// deliver puts mail on disk into an account of the test server, as it once came: the oldest first.
func deliver(ctx context.Context, account *gmailtest.Account, src source, own []string) error {
	disk := src.open(own)
	box, err := disk.Open(ctx, provider.Credential{}, nil)
	if err != nil {
		return err
	}
	var all []provider.Header
	for m, err := range headers(ctx, disk) {
		if err != nil {
			return err
		}
		all = append(all, m)
	}
	for _, m := range slices.Backward(all) {
		r, err := box.Open(ctx, m.ID)
		if err != nil {
			return err
		}
		raw, err := io.ReadAll(r)
		if err := errors.Join(err, r.Close()); err != nil {
			return err
		}
		account.Deliver(raw, gmailtest.Delivery{Received: m.Received, Read: true, Sent: sentBy(&m, own)})
	}
	return nil
}

func sentBy(m *provider.Header, own []string) bool {
	return slices.ContainsFunc(m.From, func(from mail.Address) bool {
		return slices.ContainsFunc(own, func(mine string) bool { return strings.EqualFold(from.Address, mine) })
	})
}
