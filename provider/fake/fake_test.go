package fake_test

import (
	"testing"
	"time"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/fake"
	"github.com/workinbox/workinbox/provider/providertest"
)

func TestMailbox(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]fake.Options{
		"plain":    {PageSize: 7},
		"one":      {PageSize: 1, RewriteMessageID: true},
		"generous": {PageSize: 500, Sloppy: true, SearchOff: true, RawWithHeaders: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			providertest.Mailbox(t, func(t providertest.T) providertest.Harness {
				s := fake.New(o)
				a := s.Account("owner@own.example")
				a.Bulk(true)
				return &harness{s: s, a: a}
			})
		})
	}
}

// harness is an account of a fake service.
type harness struct {
	s *fake.Service
	a *fake.Account
}

var (
	_ providertest.Placer      = (*harness)(nil)
	_ providertest.Mover       = (*harness)(nil)
	_ providertest.Reader      = (*harness)(nil)
	_ providertest.Remover     = (*harness)(nil)
	_ providertest.Expirer     = (*harness)(nil)
	_ providertest.Revoker     = (*harness)(nil)
	_ providertest.Throttler   = (*harness)(nil)
	_ providertest.AnswerLoser = (*harness)(nil)
)

func (h *harness) Open(t providertest.T) provider.Mailbox {
	m, err := h.s.Open(t.Context(), h.a.Credential(), nil)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return m
}

func (h *harness) Deliver(_ providertest.T, m providertest.Mail) provider.RemoteID {
	return h.a.Deliver(m.Raw, fake.Delivery{Received: m.Received})
}

func (h *harness) DeliverTo(
	_ providertest.T, m providertest.Mail, folder provider.Folder, unread, sent bool,
) provider.RemoteID {
	return h.a.Deliver(m.Raw, fake.Delivery{Received: m.Received, Folder: folder, Read: !unread,
		Sent: sent})
}

func (h *harness) Move(_ providertest.T, id provider.RemoteID, folder provider.Folder) {
	h.a.Move(id, folder)
}

func (h *harness) MarkRead(_ providertest.T, id provider.RemoteID) { h.a.MarkRead(id) }
func (h *harness) Remove(_ providertest.T, id provider.RemoteID)   { h.a.Remove(id) }
func (h *harness) ExpireCursors(providertest.T)                    { h.a.ExpireCursors() }
func (h *harness) Revoke(providertest.T)                           { h.a.Revoke() }
func (h *harness) Reconnect(providertest.T)                        { h.a.Reconnect() }
func (h *harness) LoseAnswerOfSend(providertest.T)                 { h.a.LoseAnswerOfSend() }

func (h *harness) Throttle(_ providertest.T, calls int, after time.Duration) {
	h.a.Throttle(calls, after)
}
