package ticket

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/storage"
)

// Fields is a set of parts of an entry that words can be in. The zero set is all of them.
type Fields uint8

// The fields.
const (
	InSubject Fields = 1 << iota
	InPeople         // names and addresses of who wrote it and who it is to, never of blind copies
	InFiles          // names of attachments
	InText           // what is new in a mail, its signature too; a note; a reply written here
	InQuote          // what a mail quotes of others
)

// AllFields are all of them, in the order of Text.Words.
const AllFields = InSubject | InPeople | InFiles | InText | InQuote

// FieldCount is how many fields there are.
const FieldCount = 5

// or returns the fields, and all of them for none.
func (f Fields) or(all Fields) Fields {
	if f == 0 {
		return all
	}
	return f
}

// Text is what a search finds an entry by. Saved with a Write that has the entry, it takes the place of
// what the store had of it; an Empty one takes the entry out of the search. One of an entry that the
// Write does not have is passed over.
type Text struct {
	Entry EntryID
	// Words are the words of each field in their order: that of the bit 1<<i of Fields stands in
	// Words[i]. They are in the one form that searches use, hold neither spaces nor punctuation, and
	// are 1 to 60 bytes long. All fields together have at most MaxWords.
	Words [FieldCount][]string
	// Files says that the entry has attachments, named or not.
	Files bool
}

// MaxWords is how many words of an entry are kept: some forty pages. Of a longer mail the rest is
// not found.
const MaxWords = 12_000

// How many words of the short fields are kept.
const (
	maxSubject = 200
	maxPeople  = 2_000
	maxFiles   = 800
)

// Empty says that there is nothing to find.
func (t *Text) Empty() bool {
	for _, words := range t.Words {
		if len(words) > 0 {
			return false
		}
	}
	return !t.Files
}

// mailText is what a mail is found by. Quotes count, but less: what a mail quotes may be of one that
// did not come in here.
func mailText(id EntryID, m *inbox.Message, c *inbox.Content) Text {
	p := partsOf(m, c)
	return p.words(id, m.Attachments > 0)
}

// entryText is what an entry is found by that was written here.
func entryText(e *Entry) Text {
	p := writtenParts(e)
	o := e.Outgoing
	return p.words(e.ID, o != nil && len(o.Files) > 0 && o.State != OutgoingRecalled)
}

// fieldTexts are the fields of an entry as a person reads them.
type fieldTexts [FieldCount]string

func partsOf(m *inbox.Message, c *inbox.Content) (p fieldTexts) {
	text := c.Text
	if text == "" {
		text = rfc822.HTMLToText(c.HTML)
	}
	body := rfc822.SplitText(text)
	var files []string
	for i := range c.Parts {
		files = append(files, c.Parts[i].Name)
	}
	p[0] = m.Subject
	p[1] = people(m.From, m.ReplyTo, m.To, m.Cc)
	p[2] = fileNames(files)
	p[3] = join(body.New, body.Signature)
	p[4] = body.Quoted
	return p
}

func writtenParts(e *Entry) (p fieldTexts) {
	p[1], p[3] = people(e.To, e.Cc), e.Text
	if o := e.Outgoing; o != nil {
		p[0], p[2] = o.Subject, fileNames(o.Files)
	}
	return p
}

func fileNames(files []string) string {
	named := slices.DeleteFunc(slices.Clone(files), func(name string) bool { return name == "" })
	return strings.Join(named, ", ")
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "\n" + b
}

func people(lists ...[]rfc822.Address) string {
	var names []string
	for _, list := range lists {
		for _, a := range list {
			name := a.Address
			if a.Name != "" {
				name = a.Name + " <" + a.Address + ">"
			}
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

func (p *fieldTexts) words(id EntryID, files bool) Text {
	t := Text{Entry: id, Files: files}
	left := MaxWords
	for i, most := range [FieldCount]int{maxSubject, maxPeople, maxFiles, MaxWords, MaxWords} {
		if most = min(most, left); most > 0 {
			t.Words[i] = wordsOf(p[i], most)
			left -= len(t.Words[i])
		}
	}
	return t
}

// writtenTexts are the texts of those of the entries that were written here and have not come back as
// mail: notes and replies. What is redacted is found by nothing.
func writtenTexts(entries []Entry) (texts []Text) {
	for i := range entries {
		e := &entries[i]
		if !e.RedactedAt.IsZero() {
			texts = append(texts, Text{Entry: e.ID})
			continue
		}
		switch e.Kind {
		case EntryNoted, EntryReplied, EntryForwarded:
			if e.Message == "" {
				texts = append(texts, entryText(e))
			}
		}
	}
	return texts
}

// find makes searches find an entry of the ticket by the text.
func (d *pending) find(t Text) {
	for i := range d.texts {
		if d.texts[i].Entry == t.Entry {
			d.texts[i] = t
			return
		}
	}
	d.texts = append(d.texts, t)
}

// index makes searches find a mail by its words.
func (c *collector) index(ctx context.Context, d *pending, e *Entry, m *inbox.Message) error {
	content, err := c.s.Archive.Content(ctx, m.ID)
	if errors.Is(err, storage.ErrNotFound) {
		return nil // erased meanwhile; its own line says so
	}
	if err == nil {
		d.find(mailText(e.ID, m, &content))
	}
	return err
}
