package memory

import (
	"github.com/workinbox/workinbox/inbox"
)

// key names one list of an index: the values of a site, of a thread, with a Message-ID. The zero key
// is the list of all.
type key struct {
	by    string
	site  inbox.SiteID
	value string
}

// What lists are kept by.
const (
	bySite     = "site"
	byThread   = "thread"
	byRFCID    = "rfcid"
	byMarker   = "marker"
	byCustomer = "customer"
	byCompany  = "company"
	byAddress  = "address"
	byInbox    = "inbox"
	byAssignee = "assignee"
	byNumber   = "number"
	byRest     = "rest"
	byTicket   = "ticket"
	byMessage  = "message"
	byOutgoing = "outgoing"
)

// index keeps the same values in several lists of one order.
type index[T any] struct {
	compare func(a, b *T) int
	keys    func(*T) []key // the lists v is in beside the one of all
	lists   map[key]*sorted[T]
}

func newIndex[T any](compare func(a, b *T) int, keys func(*T) []key) *index[T] {
	if keys == nil {
		keys = func(*T) []key { return nil }
	}
	return &index[T]{compare: compare, keys: keys, lists: make(map[key]*sorted[T])}
}

// replace takes out old and puts in v; either may be nil.
func (x *index[T]) replace(old, v *T) {
	if old != nil {
		x.remove(key{}, old)
		for _, k := range x.keys(old) {
			x.remove(k, old)
		}
	}
	if v != nil {
		x.put(key{}, v)
		for _, k := range x.keys(v) {
			x.put(k, v)
		}
	}
}

func (x *index[T]) put(k key, v *T) {
	list := x.lists[k]
	if list == nil {
		list = &sorted[T]{compare: x.compare}
		x.lists[k] = list
	}
	list.put(v)
}

func (x *index[T]) remove(k key, v *T) {
	list := x.lists[k]
	if list == nil {
		return
	}
	if list.remove(v); list.empty() {
		delete(x.lists, k)
	}
}

// of returns the values in any of these lists. With one key it is the list itself, not to be
// changed.
func (x *index[T]) of(keys ...key) *sorted[T] {
	if len(keys) == 1 {
		return x.lists[keys[0]]
	}
	union := &sorted[T]{compare: x.compare}
	for _, k := range keys {
		for v := range x.lists[k].all() {
			union.put(v)
		}
	}
	return union
}
