package sqlstore

import (
	"strconv"
	"strings"

	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/ticket"
)

// vectorIndex is a column of type tsvector with a GIN index, whose lexemes are made here. PostgreSQL
// keeps 256 places of a word at most: of a phrase with a word that is more often in one mail, the
// later places are not found.
type vectorIndex struct{}

func (vectorIndex) put(x *session, rows []searchRow) error {
	values := make([][]any, len(rows))
	for i := range rows {
		values[i] = append(rows[i].columns(), vectorOf(&rows[i]))
	}
	return x.insert("search", "", values, "")
}

func (vectorIndex) drop(*session, []int64) error { return nil } // goes with the row

func (vectorIndex) move(x *session, key int64, _ inbox.SiteID, from, to inbox.ID) error {
	_, err := x.exec("UPDATE {search} SET words = ts_delete(words, CAST(? AS text)) || CAST(? AS tsvector) WHERE pk = ?",
		"@"+searchScope("i", from), "'@"+searchScope("i", to)+"'", key)
	return err
}

func (vectorIndex) from(_ *Store, q *ticket.MatchQuery, where *conditions) (tables, order string) {
	where.add("s.words @@ CAST(? AS tsquery) AND t.pk = s.ticket AND e.pk = s.entry", vectorQuery(q))
	return "{search} s CROSS JOIN {tickets} t CROSS JOIN {entries} e", "s.pk"
}

func (vectorIndex) check(*session, *ticket.MatchQuery, []int64) (map[int64]bool, error) {
	return nil, nil
}

// vectorLabels are the labels that tell the fields. There are only four: people and files share one.
var vectorLabels = [ticket.FieldCount]string{"A", "B", "B", "C", ""}

// vectorMarks stand before the words of the short fields, which are there twice: the index knows
// nothing of labels, and to find an offer in a subject would be to look at all mail that has one. No
// word of a mail has a slash.
var vectorMarks = [ticket.FieldCount]string{"s/", "p/", "f/", "", ""}

// maxVectorPlace is the last place a word can have.
const maxVectorPlace = 16383

// vectorOf writes the words of an entry as PostgreSQL reads a tsvector.
func vectorOf(r *searchRow) string {
	places := make(map[string][]byte)
	at := 0
	for field, words := range r.text.Words {
		for _, w := range words {
			at = min(at+1, maxVectorPlace)
			place := strconv.Itoa(at) + vectorLabels[field]
			for _, lexeme := range []string{w, vectorMarks[field] + w} {
				if have := places[lexeme]; len(have) > 0 {
					places[lexeme] = append(append(have, ','), place...)
				} else {
					places[lexeme] = append(have, place...)
				}
				if vectorMarks[field] == "" {
					break
				}
			}
		}
		at++ // no phrase reaches into the next field
	}
	var b strings.Builder
	b.WriteString("'@" + searchScope("s", r.site) + "' '@" + searchScope("i", r.inbox) + "'")
	for lexeme, at := range places {
		b.WriteString(" '" + lexeme + "':")
		b.Write(at)
	}
	return b.String()
}

// vectorQuery writes the terms as PostgreSQL reads a tsquery.
func vectorQuery(q *ticket.MatchQuery) string {
	var parts []string
	for i := range q.Terms {
		t := &q.Terms[i]
		look := q.Look(t)
		if look == 0 {
			continue // a term that is not to be found stands nowhere
		}
		said := "(" + strings.Join(vectorTerms(t, look), " | ") + ")"
		if t.Not {
			said = "!" + said
		}
		parts = append(parts, said)
	}
	if scopes := searchScopes(&q.Tickets); len(scopes) > 0 {
		parts = append(parts, "('@"+strings.Join(scopes, "' | '@")+"')")
	}
	return strings.Join(parts, " & ")
}

// vectorTerms are the ways in which a term may be there.
func vectorTerms(t *ticket.Term, look ticket.Fields) (ways []string) {
	way := func(mark, labels string) {
		words := make([]string, len(t.Words))
		for i, w := range t.Words {
			if words[i] = "'" + mark + w + "'"; labels != "" || t.Prefix && i == len(t.Words)-1 {
				words[i] += ":" + labels
			}
		}
		if t.Prefix {
			words[len(words)-1] += "*"
		}
		ways = append(ways, "("+strings.Join(words, " <-> ")+")")
	}
	if look == ticket.AllFields {
		way("", "")
		return ways
	}
	const short = ticket.InSubject | ticket.InPeople | ticket.InFiles
	labels := ""
	for _, l := range []struct {
		label  string
		fields ticket.Fields
	}{{"A", ticket.InSubject}, {"B", ticket.InPeople | ticket.InFiles}, {"C", ticket.InText}, {"D", ticket.InQuote}} {
		if look&^short != 0 && look&l.fields == l.fields {
			labels += l.label
			look &^= l.fields
		}
	}
	if labels != "" {
		way("", labels)
	}
	for field, mark := range vectorMarks {
		if look&(1<<field) != 0 {
			way(mark, "")
		}
	}
	return ways
}
