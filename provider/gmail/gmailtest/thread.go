package gmailtest

import "slices"

// threadOf finds the thread of a message that arrives: that of a message which its References or
// In-Reply-To name, if the subjects agree without their prefixes. Without one it begins a thread,
// whose id is its own.
func (a *Account) threadOf(m *message) string {
	e := m.fields().Envelope()
	subject := m.baseSubject()
	// The nearest ancestor first.
	for _, id := range append(slices.Clone(e.InReplyTo), backwards(e.References)...) {
		for _, other := range a.byID[id] {
			if other.baseSubject() == subject {
				return other.threadID
			}
		}
	}
	return m.id
}

// joins says whether a message that asks for a thread may have it: its References or In-Reply-To
// name a message of the thread, and the subjects agree.
//
// Source: https://developers.google.com/workspace/gmail/api/guides/threads
func (a *Account) joins(m *message, thread string) bool {
	e := m.fields().Envelope()
	subject := m.baseSubject()
	named := append(slices.Clone(e.InReplyTo), e.References...)
	for _, other := range a.threads[thread] {
		if other.baseSubject() != subject {
			continue
		}
		if slices.Contains(named, other.messageID()) ||
			other.original != "" && slices.Contains(named, other.original) {
			return true
		}
	}
	return false
}

func backwards(ids []string) []string {
	out := slices.Clone(ids)
	slices.Reverse(out)
	return out
}
