package gmail

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/failure"
)

// errLostPlace says that the list of a walk cannot be gone on with.
var errLostPlace = errors.New("gmail: the list has changed under the walk")

// walker is one first walk, or what is left of one. It lists all ids of the window once, newest
// first, and gets those that are wanted, a batch at a time.
type walker struct {
	m  *mailbox
	w  provider.Walk
	at place // behind the last batch

	pages    []page // listed and not dealt with; the first one as far as done
	done     int
	toTheTop bool // the list has begun again with nothing yielded

	narrow bool
	found  *answers
}

// run yields the rest of the walk and returns the place in the history behind it.
func (k *walker) run(ctx context.Context, send func(provider.Batch) error) (place, error) {
	if err := k.begin(ctx); err != nil {
		return place{}, err
	}
	if err := k.plan(ctx); err != nil {
		return place{}, err
	}
	for k.at.Walking {
		want, next, err := k.take(ctx)
		if err != nil {
			return place{}, err
		}
		got, err := k.m.fetch(ctx, want)
		if err != nil {
			return place{}, err
		}
		b := provider.Batch{Walking: true}
		for _, f := range got {
			if !f.there {
				continue
			}
			// The time also of what is left out: it is how far the walk has come.
			if next.Walking {
				next.Received = f.header.Received.UnixMilli()
			}
			if f.header.Folder == provider.FolderMail {
				b.Put = append(b.Put, f.header)
			}
		}
		b.Next = next.cursor()
		k.at = next
		if err := send(b); err != nil {
			return place{}, err
		}
	}
	return k.at, nil
}

func (k *walker) query() string { return window(k.w, k.at.Before) }

// begin lists the page on which the walk stands and finds the place on it.
func (k *walker) begin(ctx context.Context) error {
	for {
		k.pages, k.done = nil, 0
		lost, err := k.more(ctx)
		if err != nil {
			return err
		}
		if !lost && k.at.Last != "" {
			i := slices.IndexFunc(k.pages[0].ids, func(e listed) bool { return e.id == k.at.Last })
			k.done, lost = i+1, i < 0
		}
		if !lost {
			return nil
		}
		if err := k.restart(); err != nil {
			return err
		}
	}
}

// restart sets the walk back to a list that begins a little above the last message that was yielded:
// its page is not there any more, or the message is not on it.
func (k *walker) restart() error {
	next, ahead := k.at.again()
	if !ahead || next.Before == 0 && k.toTheTop {
		return &provider.RetryError{Err: errLostPlace}
	}
	k.at, k.toTheTop = next, next.Before == 0
	return nil
}

// more lists the next page. lost says that its token is of no use.
func (k *walker) more(ctx context.Context) (lost bool, err error) {
	token := k.at.Page
	if n := len(k.pages); n > 0 {
		token = k.pages[n-1].next
	}
	p, err := k.m.list(ctx, k.query(), token)
	if token != "" && refusedToken(err) {
		return true, nil
	}
	if err == nil {
		k.pages = append(k.pages, p)
	}
	return false, err
}

// plan decides what of the list is wanted, and finds the giants.
func (k *walker) plan(ctx context.Context) (err error) {
	questions, narrow := k.m.questions(k.w)
	if narrow {
		if narrow, err = k.pays(ctx, len(questions)); err != nil {
			return err
		}
	}
	if !narrow {
		questions = nil
	}
	if k.w.Bodies == provider.BodiesWith {
		questions = append(questions, question{ofGiants, giant + " " + k.query()})
	}
	k.narrow = narrow
	k.found, err = k.m.ask(ctx, questions)
	if failure.Status(err) == http.StatusBadRequest {
		// The list itself was understood. Searches only save; without them everything is read.
		k.m.p.o.Logger.WarnContext(ctx, "a narrowed walk reads everything", "err", err)
		k.narrow, k.found, err = false, new(answers), nil
	}
	return err
}

// pays says whether asking costs less than reading everything that is left. It lists as many pages
// as it takes to decide.
func (k *walker) pays(ctx context.Context, queries int) (bool, error) {
	cost := askCost{prices: k.m.p.o.Quota.Prices, queries: queries}
	for {
		left := -k.done
		for _, p := range k.pages {
			left += len(p.ids)
		}
		if cost.pays(left) {
			return true, nil
		}
		if k.pages[len(k.pages)-1].next == "" {
			return false, nil
		}
		if lost, err := k.more(ctx); lost || err != nil {
			return false, err // the walk will find out about a lost page again
		}
	}
}

// take returns the messages of the next batch and the place behind them.
func (k *walker) take(ctx context.Context) (want []wanted, at place, err error) {
	at = k.at
	size := k.m.p.o.PageSize
	for {
		if len(k.pages) == 0 {
			k.at.Page = at.Page
			lost, err := k.more(ctx)
			switch {
			case err != nil:
				return nil, at, err
			case lost && len(want) > 0:
				return want, at, nil // and then begin again, behind them
			case lost:
				if err = k.restart(); err == nil {
					err = k.begin(ctx)
				}
				if at = k.at; err != nil {
					return nil, at, err
				}
			}
		}
		p := &k.pages[0]
		for ; k.done < len(p.ids); k.done++ {
			e := p.ids[k.done]
			if !k.wants(e) {
				continue
			}
			if len(want) == size {
				return want, at, nil
			}
			want = append(want, wanted{id: e.id, thread: e.thread, whole: k.whole(e), late: true})
			at.Page, at.Last = p.token, e.id
		}
		if p.next == "" {
			return want, at.live(), nil
		}
		at.Page, at.Last = p.next, ""
		k.pages, k.done = k.pages[1:], 0
		if len(want) == size {
			return want, at, nil
		}
	}
}

func (k *walker) wants(e listed) bool { return !k.narrow || k.found.wants(e) }

// whole says whether a message is fetched with its body at once. What others of a thread wrote to each
// other is looked at by its header alone, until somebody asks for more.
func (k *walker) whole(e listed) bool {
	return k.w.Bodies == provider.BodiesWith && !k.found.giants.has(e.id) && (!k.narrow || k.found.asked.has(e.id))
}
