package fake

import (
	"net/mail"
	"strings"
	"time"

	"github.com/workinbox/workinbox/provider"
)

// wanted returns the test whether a walk lists a message.
func (s *Service) wanted(w provider.Walk) func(*message) bool {
	since, until := w.Since, w.Until
	if s.o.Sloppy {
		if !since.IsZero() {
			since = since.Add(-24 * time.Hour)
		}
		if !until.IsZero() {
			until = until.Add(24 * time.Hour)
		}
	}
	interest := w.Interest
	if s.o.SearchOff {
		interest = nil
	}
	return func(m *message) bool {
		if !since.IsZero() && m.Received.Before(since) || !until.IsZero() && m.Received.After(until) {
			return false
		}
		return interest == nil || m.report() || m.autoReply() || m.concerns(interest)
	}
}

// concerns says whether the message is from, to or cc one of the addresses and domains.
func (m *message) concerns(interest []string) bool {
	for _, list := range [][]mail.Address{m.From, m.To, m.Cc} {
		for _, a := range list {
			for _, pattern := range interest {
				if matches(strings.ToLower(pattern), strings.ToLower(a.Address)) {
					return true
				}
			}
		}
	}
	return false
}

func matches(pattern, address string) bool {
	if strings.Contains(pattern, "@") {
		return pattern == address
	}
	domain := strings.TrimSuffix(address[strings.LastIndexByte(address, '@')+1:], ".")
	if apex, ok := strings.CutPrefix(pattern, "*."); ok {
		return strings.HasSuffix(domain, "."+apex)
	}
	return domain == pattern
}

// autoReply says whether the message was sent by a machine in answer to another (RFC 3834).
func (m *message) autoReply() bool {
	for _, f := range m.Fields {
		if f.Name == "Auto-Submitted" && strings.HasPrefix(strings.ToLower(strings.TrimSpace(f.Value)), "auto-replied") {
			return true
		}
	}
	return false
}

// report says whether the message is a delivery report (RFC 3464), or looks like an older kind.
func (m *message) report() bool {
	for _, f := range m.Fields {
		value := strings.ToLower(f.Value)
		switch f.Name {
		case "Content-Type":
			if strings.HasPrefix(value, "multipart/report") {
				return true
			}
		case "Return-Path":
			if strings.TrimSpace(value) == "<>" {
				return true
			}
		case "X-Failed-Recipients":
			return true
		}
	}
	for _, a := range m.From {
		local, _, _ := strings.Cut(strings.ToLower(a.Address), "@")
		if local == "mailer-daemon" || local == "postmaster" {
			return true
		}
	}
	return false
}
