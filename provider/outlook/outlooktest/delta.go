package outlooktest

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// deltaQuery is what a delta query asks for; all links of a round carry it.
type deltaQuery struct {
	raw     string // the query as it came
	path    string // address below the server, for the links
	sel     selection
	folder  *folder // nil: the folders themselves
	hidden  bool    // folders: includeHiddenFolders
	since   time.Time
	after   bool // gt instead of ge
	types   []string
	evicted bool
}

// deltaRound is what a token of a nextLink or deltaLink stands for. A round is fixed when it begins:
// asking for a page again gives the same page again.
type deltaRound struct {
	*deltaQuery
	next    bool   // begins a round, from the position
	from    uint64 // position
	upTo    uint64
	records []deltaRecord
	offset  int
	blank   bool // an empty page was given at this offset
}

type recordKind uint8

const (
	recordFull recordKind = iota
	recordPartial
	recordRemoved
)

// deltaRecord is one entry of an answer.
type deltaRecord struct {
	kind       recordKind
	m          *message
	f          *folder
	id, stable string
	moved      bool
}

// deltaMessages is GET me/mailFolders/{id}/messages/delta.
func deltaMessages(c *call) (any, *apiError) {
	q := &deltaQuery{path: "/v1.0/me/mailFolders('" + c.ids[0] + "')/messages/delta", raw: c.r.URL.RawQuery}
	if round, found, refusal := c.resume(); found || refusal != nil {
		if refusal != nil {
			return nil, refusal
		}
		if round.folder == nil || c.a.folder(c.ids[0]) != nil && c.a.folder(c.ids[0]) != round.folder {
			return nil, badRequest("Badly formed token.")
		}
		return c.round(round)
	}
	f, refusal := c.folder(c.ids[0])
	if refusal != nil {
		return nil, refusal
	}
	q.folder = f
	if q.sel, refusal = parseSelect(c.query, "message", messageFields, hiddenFields); refusal != nil {
		return nil, refusal
	}
	if refusal := q.parse(c.query); refusal != nil {
		return nil, refusal
	}
	return c.round(&deltaRound{deltaQuery: q, next: true})
}

// parse reads what a delta query may ask for.
//
// Source: https://learn.microsoft.com/graph/api/message-delta
func (q *deltaQuery) parse(v url.Values) *apiError {
	const only = "parameter value is not supported for 'Messages' resource; only a value of "
	if v.Has("filter") {
		return refuse(400, "ErrorInvalidUrlQuery", "The query parameter 'filter' is not supported.")
	}
	if text := v.Get("$filter"); text != "" {
		words := append(strings.Fields(text), "", "", "")
		at, err := time.Parse(time.RFC3339Nano, words[2])
		if words[0] != "receivedDateTime" || words[1] != "ge" && words[1] != "gt" || words[3] != "" ||
			err != nil {
			return refuse(400, "ErrorInvalidUrlQuery", "The '$filter' "+only+
				"'receivedDateTime ge value' is supported.")
		}
		q.since, q.after = at, words[1] == "gt"
	}
	if text := v.Get("$orderby"); text != "" &&
		!strings.EqualFold(strings.Join(strings.Fields(text), " "), "receivedDateTime desc") {
		return refuse(400, "ErrorInvalidUrlQuery", "The '$orderby' "+only+
			"'receivedDateTime desc' is supported.")
	}
	if v.Has("$search") {
		return refuse(400, "ErrorInvalidUrlQuery", "The '$search' parameter is not supported with "+
			"change tracking over the 'Messages' resource.")
	}
	if text := v.Get("changeType"); text != "" {
		q.types = strings.Split(text, ",")
		for _, t := range q.types {
			if t != "created" && t != "updated" && t != "deleted" {
				return refuse(400, "ErrorInvalidUrlQuery", "The 'changeType' "+only+
					"'created', 'updated' or 'deleted' is supported.")
			}
		}
	}
	return nil
}

// inside says whether the message passes the filter.
func (q *deltaQuery) inside(m *message) bool {
	if q.since.IsZero() {
		return true
	}
	return m.received.After(q.since) || !q.after && m.received.Equal(q.since)
}

func (q *deltaQuery) typed(t string) bool { return q.types == nil || slices.Contains(q.types, t) }

// resume finds the round that the token of a link stands for.
func (c *call) resume() (round *deltaRound, found bool, refusal *apiError) {
	token := c.query.Get("$skiptoken")
	if token == "" {
		token = c.query.Get("$deltatoken")
	}
	if token == "" {
		return nil, false, nil
	}
	if !strings.HasPrefix(token, tokenPrefix) || len(token) < 2*len(tokenPrefix) {
		return nil, true, badRequest("Badly formed token.")
	}
	if len(c.query) > 1 {
		return nil, true, refuse(400, "ErrorInvalidUrlQuery", "A token of change tracking carries "+
			"all query parameters; no other may be given with it.")
	}
	round = c.a.tokens[token]
	switch {
	case round == nil:
		return nil, true, syncStateNotFound()
	case round.evicted || round.deltaQuery.evicted:
		e := syncStateNotFound()
		if c.s.c.Delta.Location {
			e.with("Location", c.s.URL()+round.path+"?"+round.raw)
		}
		return nil, true, e
	case round.folder != nil && c.a.folders[round.folder.id] == nil:
		return nil, true, syncFolderNotFound()
	}
	return round, true, nil
}

const tokenPrefix = "GwcBoTxk"

// token makes a link's token for the round.
func (a *Account) token(round *deltaRound) string {
	a.s.serial++
	t := tokenPrefix + strings.TrimRight(a.makeID("", a.s.serial, 7), "=")
	a.tokens[t] = round
	if round.next {
		a.issued = append(a.issued, t)
		if keep := a.s.c.Delta.Tokens; keep > 0 && len(a.issued) > keep {
			a.evict(a.issued[0])
			a.issued = a.issued[1:]
		}
	}
	return t
}

func (a *Account) evict(token string) {
	round := *a.tokens[token]
	q := *round.deltaQuery
	q.evicted = true
	round.deltaQuery = &q
	a.tokens[token] = &round
}

// EvictDelta makes the service forget all delta tokens of a folder, or without one of the whole
// mailbox: they are answered with 410 SyncStateNotFound.
func (a *Account) EvictDelta(folder string) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	for token, round := range a.tokens {
		if folder == "" || round.folder == a.mustFolder(folder) {
			a.evict(token)
		}
	}
}

// round answers one page.
func (c *call) round(r *deltaRound) (any, *apiError) {
	if r.next {
		if r.folder == nil {
			r = c.a.beginFolders(r)
		} else {
			r = c.a.begin(r, c.prefer.immutable)
		}
	}
	size := c.pageSize()
	if most := c.s.c.MaxPage; most > 0 && size > most && r.folder != nil && r.sel.wants("body") {
		c.items = size
		return nil, gatewayTimeout()
	}
	set := "message"
	if r.folder == nil {
		set = "mailFolder"
	}
	out := newObject()
	out.text("@odata.context", c.s.URL()+"/v1.0/$metadata#Collection("+set+")")
	base := c.s.URL() + r.path
	if c.s.blankPage(r.blank, r.offset < len(r.records)) {
		again := *r
		again.blank = true
		out.text("@odata.nextLink", base+"?$skiptoken="+c.a.token(&again))
		out.list("value", nil)
		return out, nil
	}
	end := min(r.offset+size, len(r.records))
	var values [][]byte
	for _, rec := range r.records[r.offset:end] {
		if o := c.record(r, rec); o != nil {
			values = append(values, o.bytes())
		}
	}
	c.items = len(values)
	if end < len(r.records) {
		more := &deltaRound{deltaQuery: r.deltaQuery, upTo: r.upTo, records: r.records, offset: end}
		out.text("@odata.nextLink", base+"?$skiptoken="+c.a.token(more))
	} else {
		done := &deltaRound{deltaQuery: r.deltaQuery, next: true, from: r.upTo}
		out.text("@odata.deltaLink", base+"?$deltatoken="+c.a.token(done))
	}
	out.list("value", values)
	return out, nil
}

// pageSize is what the header Prefer asks for.
func (c *call) pageSize() int {
	n, err := strconv.Atoi(c.prefer.page)
	if err != nil || n < 1 {
		return defaultPage
	}
	return min(n, maxPage)
}

// record writes one entry, or nothing for what has gone since the round began: the next round
// tells of it.
func (c *call) record(r *deltaRound, rec deltaRecord) *object {
	o := newObject()
	if rec.f != nil {
		c.folderRecord(o, r, rec)
		return o
	}
	id := rec.id
	if c.prefer.immutable {
		id = rec.stable
	}
	switch rec.kind {
	case recordRemoved:
		o.text("@odata.type", "#microsoft.graph.message")
		o.text("id", id)
		reason := "deleted"
		if rec.moved {
			reason = c.s.c.Delta.MoveReason
		}
		o.raw("@removed", []byte(`{"reason":`+string(quote(reason))+`}`))
		return o
	case recordPartial:
		if rec.m.gone || rec.m.folder != r.folder {
			return nil
		}
		o.text("@odata.type", rec.m.odataType())
		if c.s.c.Delta.PartialETag {
			o.text("@odata.etag", rec.m.etag())
		}
		o.text("id", rec.m.idOf(c.prefer.immutable))
		o.truth("isRead", rec.m.read)
		if r.sel.wants("parentFolderId") {
			o.text("parentFolderId", rec.m.folder.id)
		}
		return o
	}
	if rec.m.gone || rec.m.folder != r.folder {
		return nil
	}
	rec.m.write(o, view{
		sel: r.sel, prefer: c.prefer, basic: c.basic(), entityTyp: true,
		noHeaders: c.s.c.NoListHeaders,
	})
	return o
}

// evicted and removed folders answer the first call of a query alike.
func (c *call) folder(id string) (*folder, *apiError) {
	if f := c.a.folder(id); f != nil {
		return f, nil
	}
	if len(id) > 60 && !wellFormed(id) || strings.ContainsAny(id, " '\"/") {
		return nil, malformedID()
	}
	return nil, refuse(http.StatusNotFound, "ErrorItemNotFound",
		"The specified object was not found in the store., The process failed to get the correct properties.")
}
