package outlook

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/internal/gate"
	"github.com/workinbox/workinbox/provider/internal/wire"
)

// maxPage is the largest Options.PageSize: a page may be asked for a quarter larger, and Graph gives
// 1,000 messages at most (https://learn.microsoft.com/graph/api/user-list-messages).
const maxPage = 800

// span is a part of the list of all messages, by the second of receipt: from is inclusive, to is
// not, and zero is no bound. Bounds that meet leave no gap, whatever fractions the service keeps.
type span struct{ from, to int64 }

func (s span) filter() string {
	var parts []string
	if s.from != 0 {
		parts = append(parts, "receivedDateTime ge "+instant(s.from))
	}
	if s.to != 0 {
		parts = append(parts, "receivedDateTime lt "+instant(s.to))
	}
	return strings.Join(parts, " and ")
}

// window is what a walk asks for. Both bounds of a Walk are inclusive and may be finer than a second.
func window(w provider.Walk) span {
	s := span{from: second(w.Since)}
	if !w.Until.IsZero() {
		s.to = w.Until.Unix() + 1
	}
	return s
}

// below is the part of s that was received before t, where that is a bound.
func (s span) below(t int64) span {
	if t != 0 && (s.to == 0 || t < s.to) {
		s.to = t
	}
	return s
}

// empty says whether nothing can be in it.
func (s span) empty() bool { return s.to != 0 && s.from >= s.to }

// errTooSlow is a page that is too large to be made in time.
var errTooSlow = errors.New("outlook: the page is too large for the service")

// listAddress is the first page of a span, newest first. The property that is sorted by has to be
// filtered by first (https://learn.microsoft.com/graph/api/user-list-messages).
func (m *mailbox) listAddress(s span, fields string, top int, count bool) string {
	q := url.Values{"$orderby": {"receivedDateTime desc"}, "$select": {fields}, "$top": {strconv.Itoa(top)}}
	if f := s.filter(); f != "" {
		q.Set("$filter", f)
	}
	if count {
		q.Set("$count", "true")
	}
	return m.address(q, "messages")
}

// list reads one page. With bodies it holds raw messages where they can be built. With shrink, one that
// is too large is errTooSlow at once, for the caller to ask for less.
func (m *mailbox) list(ctx context.Context, address string, bodies, shrink bool) (page[message], error) {
	var out page[message]
	err := m.call(ctx, gate.Bulk, opList, func(ctx context.Context) error {
		fresh, err := m.listOnce(ctx, address, bodies)
		if shrink && ctx.Err() == nil && tooLarge(err) {
			return errTooSlow
		}
		out = fresh
		return err
	})
	return out, err
}

// tooLarge says whether a page may come when less is asked for: Graph gave it up (504), it did not come
// in the time of Options.HTTP, or it is more than an answer may be.
func tooLarge(err error) bool {
	if e, ok := errors.AsType[*answerError](err); ok {
		return e.status == http.StatusGatewayTimeout
	}
	late, ok := errors.AsType[net.Error](err)
	return ok && late.Timeout() || errors.Is(err, wire.ErrTooLarge)
}

func (m *mailbox) listOnce(ctx context.Context, address string, bodies bool) (p page[message], err error) {
	if !bodies {
		err = m.getJSON(ctx, address, &p)
		return p, err
	}
	var all page[whole]
	if err := m.getJSON(ctx, address, &all, unsafeHTML); err != nil {
		return p, err
	}
	for i := range all.Value {
		if all.Value[i].neverBuilt() {
			m.unbuilt.add(all.Value[i].ID)
		}
	}
	return leanPage(all), nil
}
