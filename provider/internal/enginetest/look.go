package enginetest

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/ticket"
)

func (e *Engine) connecting() bool {
	state := e.Health().State
	return state == inbox.StateDraft || state == inbox.StateConnecting
}

// look is what people see of the inbox and of the mail that is sent.
func (e *Engine) look() string {
	h := e.Health()
	var parts []string
	for _, entry := range e.Outgoing() {
		parts = append(parts, strings.TrimSpace(string(entry.Outgoing.State)+" "+entry.Outgoing.Error))
	}
	state := string(h.State)
	if h.LastError != "" {
		state += " " + h.LastError
	}
	if e.connecting() && e.refused != nil {
		state = "refused: " + kindOf(e.refused)
	}
	if len(parts) == 0 || state != "active" {
		parts = append(parts, state)
	}
	if h.Queued > 0 {
		parts = append(parts, "some wait")
	}
	if h.Poisoned > 0 {
		parts = append(parts, "some given up")
	}
	return strings.Join(parts, ", ")
}

// kindOf names what an error asks people to do.
func kindOf(err error) string {
	for _, known := range []error{
		provider.ErrAuth, provider.ErrAdminConsent, provider.ErrConfig, provider.ErrInsufficientScope,
		provider.ErrRetry, provider.ErrGone,
	} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return "error"
}

// recover lets the library, and people where they must, get over what has happened.
func (e *Engine) recover(seen *story) {
	e.t.Helper()
	for range 60 {
		now := e.look()
		if did := e.help(); did != "" {
			seen.add(now)
			seen.add("[" + did + "]")
		}
		if !e.connecting() && e.round() == nil && e.quiet() {
			seen.add(e.look())
			return
		}
		time.Sleep(5 * time.Minute)
	}
	e.t.Fatalf("not over: %s; %s", e.look(), e.Said)
}

func (e *Engine) quiet() bool {
	out := e.Outgoing()
	return e.Health().Queued == 0 && (len(out) == 0 || out[len(out)-1].Outgoing.State == ticket.OutgoingSent)
}

// help is what a person does who sees that the library is at its end.
func (e *Engine) help() string {
	e.t.Helper()
	switch e.Health().State {
	case inbox.StateDraft, inbox.StateConnecting:
		e.Connect()
		return "connects again"
	case inbox.StateNeedsReauth:
		require.NoError(e.t, e.consent())
		return "connects again"
	}
	all := e.Outgoing()
	if len(all) == 0 {
		return ""
	}
	last := all[len(all)-1]
	switch last.Outgoing.State {
	case ticket.OutgoingFailed:
		e.Reply()
		return "writes again"
	case ticket.OutgoingUnknown:
		left := slices.ContainsFunc(e.c.Account.Sent(), func(raw []byte) bool {
			return bytes.Contains(raw, []byte(last.Outgoing.Marker))
		})
		decision, said := ticket.ResolutionSendAgain, "looks: it was not sent"
		if left {
			decision, said = ticket.ResolutionSent, "looks: it was sent"
		}
		_, err := e.Desk.Tickets.Resolve(e.t.Context(), e.Actor("rita"), last.Ticket, last.ID, decision)
		require.NoError(e.t, err)
		return said
	}
	return ""
}
