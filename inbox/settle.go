package inbox

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/provider"
	"github.com/workinbox/workinbox/provider/rfc822"
)

// stepBytes is about how much text one Commit carries; a page with more is stored in several steps,
// the cursor moving with the last.
const stepBytes = 4 << 20

// previewRunes is how long the preview in lists is.
const previewRunes = 140

// step is one Commit being put together, with what it adds to the ledger.
type step struct {
	imp   Import
	delta Run
	ev    []Event
	bytes int
	known []Known // people to know, beside imp.Put; an empty address for none
}

// settle waits for a page's mail in order and stores it. The cursor moves with the last step, when
// every item is stored, rejected, gone, or in the queue.
func (y *syncer) settle(ctx context.Context, p *page, moved func(*provider.Batch)) error {
	st := &step{}
	for _, it := range p.items {
		<-it.done
		if err := y.add(ctx, st, it); err != nil {
			return err
		}
		if st.bytes > stepBytes {
			if err := y.flush(ctx, st); err != nil {
				return err
			}
			st = &step{}
		}
	}
	for _, it := range p.unread {
		if err := y.add(ctx, st, it); err != nil {
			return err
		}
	}
	st.delta.Listed += p.known + len(p.reject)
	st.delta.Known += p.known
	st.imp.Reject = append(st.imp.Reject, p.reject...)
	for _, r := range p.reject {
		st.delta.reject(r.Reason)
	}
	st.imp.Changed = p.changed
	st.delta.Changed = len(p.changed)
	before := y.state
	moved(&p.batch)
	if err := y.flush(ctx, st); err != nil {
		y.state = before
		return err
	}
	for i := range p.batch.Put {
		y.known.leave(p.batch.Put[i].ID)
	}
	return nil
}

// add puts one mail into the step, whatever became of it.
func (y *syncer) add(ctx context.Context, st *step, it *item) error {
	if it.err != nil && interrupted(ctx, it.err) {
		return it.err
	}
	if it.queued != nil {
		st.delta.Retried++
	} else {
		st.delta.Listed++
	}
	switch {
	case errors.Is(it.err, provider.ErrGone):
		st.delta.Gone++
		st.imp.Gone = append(st.imp.Gone, Gone{Remote: it.header.ID, Thread: it.header.Thread})
		return nil
	case it.err != nil:
		y.requeue(ctx, st, it)
	case it.out.wait:
		st.delta.Queued++
		st.imp.Queue = append(st.imp.Queue, it.wait(QueueReport, y.s.now()))
	case it.out.msg == nil:
		st.delta.reject(it.verdict.Reason)
		st.imp.Reject = append(st.imp.Reject, it.rejected())
		return nil
	default:
		y.put(st, it)
	}
	if it.opens {
		st.opened(it)
	}
	return nil
}

// opened notes the time of a thread, and sends back what was rejected before the thread was known.
func (st *step) opened(it *item) {
	t, at := it.header.Thread, it.header.Received
	st.imp.Threads = append(st.imp.Threads, Thread{ID: t, Opened: at})
	for _, reason := range []filter.Reason{filter.NotClientAssociated, filter.Automated} {
		st.imp.Reopen = append(st.imp.Reopen, Reopen{Thread: t, Since: at, Reason: reason})
	}
}

// put adds a message to the step.
func (y *syncer) put(st *step, it *item) {
	m, c := y.message(it)
	st.delta.Stored++
	st.delta.Bytes += m.Size
	if m.Unreadable {
		st.delta.Unreadable++
	}
	st.bytes += len(c.Text) + len(c.HTML)
	st.imp.Put = append(st.imp.Put, Put{Message: m, Content: c})
	st.known = append(st.known, y.person(it, &m))
}

func (y *syncer) message(it *item) (Message, Content) {
	h, msg, v := &it.header, it.out.msg, &it.verdict
	e := &msg.Envelope
	m := Message{
		ID: MessageID(y.s.NewID()), Site: y.in.Site, Inbox: y.in.ID, Remote: h.ID, Thread: h.Thread,
		RFCID: e.MessageID, References: references(e), Subject: e.Subject,
		From: h.From, Sender: h.Sender, ReplyTo: h.ReplyTo, To: h.To, Cc: h.Cc, Bcc: h.Bcc,
		Preview:  rfc822.Preview(msg.Text, previewRunes),
		Received: h.Received.UTC().Truncate(time.Microsecond), Date: e.Date.UTC().Truncate(time.Microsecond),
		StoredAt: y.s.now(), Direction: v.Direction, ForgedSelf: v.ForgedSelf,
		Class: msg.Signals.Class, Auth: y.auth(msg.Header),
		Unread: h.Unread, Folder: h.Folder, Reason: v.Reason, Rules: v.Version, Private: v.Private,
		Company: v.Company, Customer: v.Customer, Marker: msg.Header.Get(provider.MarkerHeader),
		Size: it.out.blob.Size, Blob: it.out.blob.Key, Damage: msg.Damage, Unreadable: msg.Unreadable,
		Calendar: msg.Calendar,
	}
	m.Imported = m.Received.Before(y.in.ConnectedAt) || it.rules.again || it.queued != nil && it.queued.Code == QueueBackfill
	if len(m.Bcc) == 0 {
		m.Bcc = e.Bcc
	}
	if m.Auth == rfc822.AuthFail {
		m.Customer = "" // R-FLT-11
	}
	for i := range msg.Parts {
		if !msg.Parts[i].Inline {
			m.Attachments++
		}
	}
	if r := msg.Report; r != nil {
		m.Report = deliveryReport(r, it.out.reportOf)
	}
	return m, Content{Message: m.ID, Text: msg.Text, HTML: msg.HTML, Parts: msg.Parts}
}

// auth is the verdict of the receiving service, where we know under what name it signs.
func (y *syncer) auth(h rfc822.Header) rfc822.Auth {
	id, ok := y.s.AuthServers[y.in.Provider]
	if !ok {
		return rfc822.AuthNone
	}
	return rfc822.Authentication(h, id)
}

// references is References with In-Reply-To where that names further ids.
func references(e *rfc822.Envelope) []string {
	out := e.References
	for _, id := range e.InReplyTo {
		if len(out) == 0 || out[len(out)-1] != id {
			out = append(out[:len(out):len(out)], id)
		}
	}
	return out
}

func deliveryReport(r *rfc822.Report, of MessageID) *DeliveryReport {
	out := &DeliveryReport{Of: of}
	if len(r.OriginalIDs) > 0 {
		out.OriginalID = r.OriginalIDs[0]
	}
	for _, to := range r.Recipients {
		if to.Address != "" {
			out.Recipients = append(out.Recipients, to.Address)
		}
		out.Hard = out.Hard || to.Hard
		if out.Status == "" {
			out.Status = to.Status
		}
	}
	return out
}

// person returns whom an accepted mail makes known: the counterparty, unless they are our own, the
// mail is forged, automated or for the creator alone, or nobody's client who only came along in a
// thread (R-CUS-01, R-CUS-07, R-FLT-11).
func (y *syncer) person(it *item, m *Message) Known {
	v := &it.verdict
	known := v.Customer != "" || v.Company != ""
	switch {
	case v.Counterparty == "" || v.ForgedSelf || v.Private || m.Auth == rfc822.AuthFail,
		y.snap.dir.Internal(v.Counterparty),
		!known && v.Reason != filter.ModeAll,
		v.Direction == filter.Inbound && !writtenByPerson(m.Class, known):
		return Known{}
	}
	who := Known{Address: v.Counterparty}
	if company, pattern, ok := y.snap.dir.Company(v.Counterparty); ok {
		who.Company, who.Pattern = company, &pattern
	}
	for _, list := range [][]rfc822.Address{m.From, m.To, m.Cc} {
		for _, a := range list {
			if a.Address == v.Counterparty && who.Name == "" {
				who.Name = a.Name
			}
		}
	}
	return who
}

// writtenByPerson says whether somebody stands behind mail of this class. A client's mail that comes
// through a mailing list is theirs all the same (R-FLT-06); a stranger's is a newsletter.
func writtenByPerson(class rfc822.Class, client bool) bool {
	switch class {
	case rfc822.ClassHuman, rfc822.ClassCalendar:
		return true
	case rfc822.ClassBulk:
		return client
	}
	return false
}

// flush stores a step: customers first, then blobs made durable, then everything else at once.
func (y *syncer) flush(ctx context.Context, st *step) error {
	if err := y.customers(ctx, st); err != nil {
		return err
	}
	if err := y.copies(ctx, st); err != nil {
		return err
	}
	if len(st.imp.Put) > 0 {
		if err := y.s.Blobs.SyncBlobs(ctx, y.in.ID); err != nil {
			return err
		}
	}
	before := y.run
	y.run = y.run.plus(&st.delta)
	if err := y.commit(ctx, st.imp, st.ev...); err != nil {
		y.run = before
		return err
	}
	y.s.Meter.Count("inbox.listed", st.delta.Listed)
	y.s.Meter.Count("inbox.stored", st.delta.Stored)
	y.s.Meter.Count("inbox.rejected", st.delta.RejectedTotal())
	return nil
}

// customers makes the people of the step known and names them on their messages.
func (y *syncer) customers(ctx context.Context, st *step) error {
	var who []Known
	var keys []string
	for _, k := range st.known {
		key := filter.AddressKey(k.Address)
		if _, met := y.met[key]; k.Address == "" || met || slices.Contains(keys, key) {
			continue
		}
		who, keys = append(who, k), append(keys, key)
	}
	if len(who) > 0 {
		if _, err := y.current(ctx); err != nil {
			return err
		}
		cs, err := y.s.Store.EnsureCustomers(ctx, y.in.Site, y.in.ID, who, y.s.now(), y.s.newCustomerID)
		if err != nil {
			return err
		}
		for i, c := range cs {
			y.met[keys[i]] = metCustomer{c.ID, c.Company}
		}
	}
	for i, k := range st.known {
		if k.Address == "" {
			continue
		}
		c, m := y.met[filter.AddressKey(k.Address)], &st.imp.Put[i].Message
		m.Customer = c.id
		if c.company != "" {
			m.Company = c.company
		}
	}
	return nil
}

// metCustomer is a customer this sync has made known already.
type metCustomer struct {
	id      CustomerID
	company CompanyID
}

// copies links a second copy of the same mail to the first: equal Message-ID, From, Date and Subject
// (R-IMP-06). Message-ID alone is forged and used again. A first that fewer people see is none: the
// mail would be shown to nobody.
func (y *syncer) copies(ctx context.Context, st *step) error {
	var ids []string
	for i := range st.imp.Put {
		if id := st.imp.Put[i].Message.RFCID; id != "" {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	firsts := make(map[string][]*Message)
	for m, err := range y.s.Store.Messages(ctx, MessageQuery{Inbox: y.in.ID, RFCIDs: ids, Hidden: true}) {
		if err != nil {
			return err
		}
		if m.CopyOf == "" && !m.Hidden && !m.Removed {
			firsts[m.RFCID] = append(firsts[m.RFCID], &m)
		}
	}
	for i := range st.imp.Put {
		m := &st.imp.Put[i].Message
		if m.RFCID == "" {
			continue
		}
		for _, first := range firsts[m.RFCID] {
			if sameMail(first, m) {
				m.CopyOf = first.ID
				st.delta.Copies++
				break
			}
		}
		if m.CopyOf == "" {
			firsts[m.RFCID] = append(firsts[m.RFCID], m)
		}
	}
	return nil
}

func sameMail(a, b *Message) bool {
	if a.Subject != b.Subject || a.Private != b.Private || !a.Date.Equal(b.Date) || a.Date.IsZero() || len(a.From) != len(b.From) {
		return false
	}
	for i := range a.From {
		if a.From[i].Address != b.From[i].Address {
			return false
		}
	}
	return true
}
