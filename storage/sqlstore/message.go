package sqlstore

import (
	"context"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/rfc822"
)

// The switches of a message, in its column flags.
const (
	flagUnread = 1 << iota
	flagHidden
	flagRemoved
	flagLost
	flagPrivate
	flagCopy
	flagForgedSelf
	flagImported
	flagUnreadable
)

// Who sees a message, in its column vis, which the list indexes carry.
const (
	visAll     = 0 // everybody with access
	visPrivate = 1 // private, or a copy: only lists with Hidden
	visHidden  = 2 // hidden or removed: not counted either
)

func visOf(flags int64) int64 {
	switch {
	case flags&(flagHidden|flagRemoved) != 0:
		return visHidden
	case flags&(flagPrivate|flagCopy) != 0:
		return visPrivate
	}
	return visAll
}

// messageDoc is what no query asks for of a message. Addresses are name and address in turn.
type messageDoc struct {
	Site        inbox.SiteID          `json:"site"`
	References  []string              `json:"refs,omitempty"`
	From        []string              `json:"from,omitempty"`
	Sender      []string              `json:"sender,omitempty"`
	ReplyTo     []string              `json:"reply,omitempty"`
	To          []string              `json:"to,omitempty"`
	Cc          []string              `json:"cc,omitempty"`
	Bcc         []string              `json:"bcc,omitempty"`
	Subject     string                `json:"subject,omitempty"`
	Preview     string                `json:"preview,omitempty"`
	Date        *int64                `json:"date,omitempty"`
	Direction   filter.Direction      `json:"dir,omitempty"`
	Class       rfc822.Class          `json:"class,omitempty"`
	Auth        rfc822.Auth           `json:"auth,omitempty"`
	Reason      filter.Reason         `json:"reason,omitempty"`
	Rules       uint64                `json:"rules,omitempty"`
	Report      *inbox.DeliveryReport `json:"report,omitempty"`
	CopyOf      inbox.MessageID       `json:"copy_of,omitempty"`
	Attachments int                   `json:"files,omitempty"`
	Size        int64                 `json:"size,omitempty"`
	Blob        inbox.BlobKey         `json:"blob,omitempty"`
	Damage      []rfc822.Damage       `json:"damage,omitempty"`
	Calendar    string                `json:"calendar,omitempty"`
}

func flatten(list []rfc822.Address) []string {
	if len(list) == 0 {
		return nil
	}
	flat := make([]string, 0, 2*len(list))
	for _, a := range list {
		flat = append(flat, a.Name, a.Address)
	}
	return flat
}

func unflatten(flat []string) []rfc822.Address {
	if len(flat) < 2 {
		return nil
	}
	list := make([]rfc822.Address, len(flat)/2)
	for i := range list {
		list[i] = rfc822.Address{Name: flat[2*i], Address: flat[2*i+1]}
	}
	return list
}

func docOf(m *inbox.Message) messageDoc {
	d := messageDoc{
		Site: m.Site, References: m.References, From: flatten(m.From), ReplyTo: flatten(m.ReplyTo),
		To: flatten(m.To), Cc: flatten(m.Cc), Bcc: flatten(m.Bcc), Subject: m.Subject,
		Preview: m.Preview, Direction: m.Direction, Class: m.Class, Auth: m.Auth, Reason: m.Reason,
		Rules: m.Rules, Report: m.Report, CopyOf: m.CopyOf, Attachments: m.Attachments,
		Size: m.Size, Blob: m.Blob, Damage: m.Damage, Calendar: m.Calendar,
	}
	if m.Sender != (rfc822.Address{}) {
		d.Sender = []string{m.Sender.Name, m.Sender.Address}
	}
	if !m.Date.IsZero() {
		date := micros(m.Date)
		d.Date = &date
	}
	return d
}

func (d *messageDoc) fill(m *inbox.Message) {
	m.Site, m.References, m.From, m.ReplyTo = d.Site, d.References, unflatten(d.From), unflatten(d.ReplyTo)
	m.To, m.Cc, m.Bcc = unflatten(d.To), unflatten(d.Cc), unflatten(d.Bcc)
	m.Subject, m.Preview, m.Direction, m.Class = d.Subject, d.Preview, d.Direction, d.Class
	m.Auth, m.Reason, m.Rules, m.Report = d.Auth, d.Reason, d.Rules, d.Report
	m.CopyOf, m.Attachments, m.Size, m.Blob = d.CopyOf, d.Attachments, d.Size, d.Blob
	m.Damage, m.Calendar = d.Damage, d.Calendar
	if sender := unflatten(d.Sender); len(sender) == 1 {
		m.Sender = sender[0]
	}
	if d.Date != nil {
		m.Date = moment(*d.Date)
	}
}

func flagsOf(m *inbox.Message) (flags int64) {
	for i, on := range [...]bool{
		m.Unread, m.Hidden, m.Removed, m.AssociationLost, m.Private, m.CopyOf != "",
		m.ForgedSelf, m.Imported, m.Unreadable,
	} {
		flags |= flag(on) << i
	}
	return flags
}

func setFlags(m *inbox.Message, flags int64) {
	m.Unread, m.Hidden = flags&flagUnread != 0, flags&flagHidden != 0
	m.Removed, m.AssociationLost = flags&flagRemoved != 0, flags&flagLost != 0
	m.Private, m.ForgedSelf = flags&flagPrivate != 0, flags&flagForgedSelf != 0
	m.Imported, m.Unreadable = flags&flagImported != 0, flags&flagUnreadable != 0
}

// putRow is a message to store, with its parts that are JSON.
type putRow struct {
	put   *inbox.Put
	flags int64
	doc   string
	parts any // NULL when there are none
}

func encodePut(p *inbox.Put) (row putRow, err error) {
	row.put, row.flags = p, flagsOf(&p.Message)
	doc := docOf(&p.Message)
	if row.doc, err = encode(&doc); err != nil {
		return putRow{}, err
	}
	if len(p.Content.Parts) > 0 {
		if row.parts, err = encode(p.Content.Parts); err != nil {
			return putRow{}, err
		}
	}
	return row, nil
}

// saveMessages stores messages and their texts.
func (x *session) saveMessages(b *box, puts []putRow) error {
	messages, contents := make([][]any, len(puts)), make([][]any, len(puts))
	id := inbox.MessageID("")
	for i := range puts {
		b.seq++
		row := &puts[i]
		m, c := &row.put.Message, &row.put.Content
		key := seqKey(b.pk, uint64(b.seq))
		messages[i] = []any{
			key, string(m.ID), b.pk, string(m.Remote), string(m.Thread), micros(m.Received),
			visOf(row.flags), row.flags, micros(m.StoredAt), orNull(m.RFCID), orNull(m.Marker),
			orNull(m.Customer), string(m.Company), string(m.Folder), row.doc,
		}
		contents[i] = []any{key, c.Text, c.HTML, row.parts}
		if len(puts) == 1 {
			id = m.ID
		}
	}
	if err := x.insert("messages", "", messages, ""); err != nil {
		return x.orExists("commit", "message", string(id), err)
	}
	return x.insert("contents", "", contents, "")
}

const messageColumns = "m.pk, i.id, m.id, m.remote, m.thread, m.received, m.flags, m.stored, " +
	"COALESCE(m.rfcid, ''), COALESCE(m.marker, ''), COALESCE(m.customer, ''), m.company, m.folder, m.doc"

// fromMessages is the part of a statement between the messageColumns and its conditions.
func (s *Store) fromMessages(index string) string {
	return " FROM {messages} m" + s.using(index) + " CROSS JOIN {inboxes} i WHERE i.pk = m.inbox AND "
}

// scanMessage reads the messageColumns.
func scanMessage(scan func(...any) error) (key int64, m inbox.Message, err error) {
	var received, flags, storedAt int64
	var doc string
	err = scan(&key, (*string)(&m.Inbox), (*string)(&m.ID), (*string)(&m.Remote), (*string)(&m.Thread),
		&received, &flags, &storedAt, &m.RFCID, &m.Marker, (*string)(&m.Customer),
		(*string)(&m.Company), (*string)(&m.Folder), &doc)
	if err != nil {
		return 0, inbox.Message{}, err
	}
	m.Seq, m.Received, m.StoredAt = seqOf(key), moment(received), moment(storedAt)
	setFlags(&m, flags)
	var d messageDoc
	if err := decode(doc, &d); err != nil {
		return 0, inbox.Message{}, err
	}
	d.fill(&m)
	return key, m, nil
}

// Message returns one message.
func (s *Store) Message(ctx context.Context, id inbox.MessageID) (m inbox.Message, err error) {
	err = s.read(ctx, op{"read", "message", string(id)}, func(x *session) error {
		found := false
		err := x.every("SELECT "+messageColumns+x.fromMessages("messages_id")+"m.id = ?", []any{string(id)},
			func(scan func(...any) error) (err error) {
				_, m, err = scanMessage(scan)
				found = true
				return err
			})
		if err == nil && !found {
			return errNotFound("read", "message", id)
		}
		return err
	})
	return m, err
}

// Content returns the text of a message.
func (s *Store) Content(ctx context.Context, id inbox.MessageID) (c inbox.Content, err error) {
	c.Message = id
	err = s.read(ctx, op{"read", "content", string(id)}, func(x *session) error {
		var parts string
		err := x.one("SELECT c.body, c.html, COALESCE(c.parts, '')"+
			" FROM {messages} m CROSS JOIN {inboxes} i CROSS JOIN {contents} c"+
			" WHERE m.id = ? AND i.pk = m.inbox AND c.pk = m.pk",
			[]any{string(id)}, &c.Text, &c.HTML, &parts)
		if err != nil || parts == "" {
			return err
		}
		return decode(parts, &c.Parts)
	})
	if err != nil {
		return inbox.Content{}, err
	}
	return c, nil
}

// Tally counts the messages and threads of an inbox.
func (s *Store) Tally(ctx context.Context, id inbox.ID) (t inbox.Tally, err error) {
	err = s.read(ctx, op{"count", "messages", string(id)}, func(x *session) error {
		pk, err := x.inboxKey(id)
		if err != nil || pk == 0 {
			return err
		}
		return x.one("SELECT COALESCE(SUM(n), 0), COUNT(*) FROM (SELECT COUNT(*) AS n FROM {messages}"+
			x.using("messages_thread")+" WHERE inbox = ? AND vis < 2 GROUP BY thread) AS threads",
			[]any{pk}, &t.Messages, &t.Threads)
	})
	return t, err
}
