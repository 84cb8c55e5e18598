package gmail

import (
	"context"

	"github.com/workinbox/workinbox/provider"
)

// giant is the search for messages that are not fetched with their header: a page of them would
// take too much memory.
const giant = "larger:3M"

// topic is what a question is about.
type topic uint8

const (
	ofInterest topic = iota
	ofReports
	ofGiants
)

// question is one search beside the list of a walk.
type question struct {
	topic topic
	text  string
}

// questions are the searches for what a walk is narrowed to. It is false where everything is to be
// read: where that was asked for, or where a pattern cannot be searched for.
func (m *mailbox) questions(w provider.Walk) ([]question, bool) {
	if w.Interest == nil {
		return nil, false
	}
	terms, ok := interestTerms(w.Interest)
	if !ok {
		return nil, false
	}
	// A thread is complete only when all of the window is asked for, also where a list began again.
	rest := window(w, 0)
	limit := m.p.o.MaxQuery
	interest, ok := anyOf(terms, rest, limit)
	reports, fits := anyOf(reportTerms(), rest, limit)
	if !ok || !fits {
		return nil, false
	}
	all := make([]question, 0, len(interest)+len(reports)+1)
	for _, text := range interest {
		all = append(all, question{ofInterest, text})
	}
	for _, text := range reports {
		all = append(all, question{ofReports, text})
	}
	return all, true
}

// answers is what the questions of a walk found: the mail of interest, the reports and automatic
// replies found by themselves, and the giants. Of the threads with mail of interest everything is
// wanted, because Gmail threads delivery reports and automatic replies with the mail they answer.
type answers struct{ asked, threads, giants idSet }

func (a *answers) wants(e listed) bool { return a.asked.has(e.id) || a.threads.has(e.thread) }

// ask runs the searches, as many at once as the quota lets out.
func (m *mailbox) ask(ctx context.Context, questions []question) (*answers, error) {
	texts := make([]string, len(questions))
	for i, q := range questions {
		texts[i] = q.text
	}
	found := new(answers)
	err := m.listAll(ctx, texts, func(i int, ids []listed) {
		for _, e := range ids {
			switch questions[i].topic {
			case ofInterest:
				found.asked.add(e.id)
				found.threads.add(e.thread)
			case ofReports:
				found.asked.add(e.id)
			case ofGiants:
				found.giants.add(e.id)
			}
		}
	})
	return found, err
}
