package inbox

import (
	"iter"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/rfc822"
)

// factsOf turns a provider's header into what the filter looks at.
func factsOf(h *provider.Header) (filter.Facts, rfc822.Signals) {
	signals := rfc822.NewHeader(fieldsOf(h)).Signals()
	return filter.Facts{
		Folder: filter.Folder(h.Folder), Received: h.Received,
		From: bare(h.From), Sender: h.Sender.Address, ReplyTo: bare(h.ReplyTo),
		To: bare(h.To), Cc: bare(h.Cc), Bcc: bare(h.Bcc),
		SentMark: filter.Mark(h.Sent), Class: filter.Class(signals.Class),
		Report: signals.Report, CalendarReply: signals.CalendarReply,
	}, signals
}

// fieldsOf yields the fields the class of a mail shows in; From is among them for the local parts
// that nobody reads.
func fieldsOf(h *provider.Header) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, f := range h.Fields {
			if !yield(f.Name, f.Value) {
				return
			}
		}
		for _, a := range h.From {
			if !yield("From", a.Address) {
				return
			}
		}
	}
}

// factsOfStored is factsOf for a message that was decided before.
func factsOfStored(m *Message) filter.Facts {
	mark := filter.NotSent
	if m.Direction == filter.Outbound {
		mark = filter.Sent
	}
	return filter.Facts{
		Received: m.Received, From: bare(m.From), Sender: m.Sender.Address, ReplyTo: bare(m.ReplyTo),
		To: bare(m.To), Cc: bare(m.Cc), Bcc: bare(m.Bcc), SentMark: mark,
		Class: filter.Class(m.Class), Report: m.Report != nil,
		CalendarReply: m.Calendar == "REPLY" || m.Calendar == "CANCEL",
	}
}

func bare(as []rfc822.Address) []string {
	if len(as) == 0 {
		return nil
	}
	out := make([]string, len(as))
	for i, a := range as {
		out[i] = a.Address
	}
	return out
}
