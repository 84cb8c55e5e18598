package gmail

import (
	"errors"
	"slices"

	api "google.golang.org/api/gmail/v1"
)

// errHollow says that an answer is JSON and lacks what was asked for. The generated client takes
// whatever JSON there is: "null" makes its answer nil, and a null in a list an entry of it. Such a thing
// comes from a gateway on the way, not from Gmail, and a call that only reads is made again.
var errHollow = errors.New("the answer lacks what was asked for")

// unless returns err, or errHollow where there is none and the answer is not sound.
func unless(sound func() bool, err error) error {
	if err == nil && !sound() {
		return errHollow
	}
	return err
}

// soundList says whether a page of a list, asked for with token, names messages and leads on.
func soundList(r *api.ListMessagesResponse, token string) bool {
	return r != nil && (token == "" || r.NextPageToken != token) &&
		!slices.ContainsFunc(r.Messages, func(m *api.Message) bool { return m == nil || m.Id == "" })
}

// soundMessage says whether it is the message that was asked for.
func soundMessage(m *api.Message, id string) bool {
	return m != nil && m.Id == id && (m.Payload == nil || !slices.Contains(m.Payload.Headers, nil))
}

func soundThread(t *api.Thread) bool {
	return t != nil && !slices.ContainsFunc(t.Messages, func(m *api.Message) bool {
		return m == nil || !soundMessage(m, m.Id)
	})
}

// soundHistory says whether a page of the history, asked for with token, tells how far it goes and leads
// on.
func soundHistory(r *api.ListHistoryResponse, token string) bool {
	return r != nil && r.HistoryId != 0 && (token == "" || r.NextPageToken != token) &&
		!slices.ContainsFunc(r.History, func(h *api.History) bool {
			return h == nil || h.Id == 0 || slices.Contains(h.MessagesAdded, nil) ||
				slices.Contains(h.MessagesDeleted, nil) || slices.Contains(h.LabelsAdded, nil) ||
				slices.Contains(h.LabelsRemoved, nil)
		})
}
