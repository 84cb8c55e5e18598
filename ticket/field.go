package ticket

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Field is a further thing tickets say of themselves (R-TKT-03). A ticket keeps its values in
// Ticket.Fields under the field's code.
type Field struct {
	Label
	Scope
	Kind FieldKind `json:"kind"` // never changes
	// Choices are what a dropdown or checkboxes offer; other kinds have none.
	Choices []Label `json:"choices,omitempty"`
}

// FieldKind says what the values of a field are.
type FieldKind string

// The kinds. All but FieldCheckboxes have one value.
const (
	FieldText       FieldKind = "text"       // one line of at most 255 characters
	FieldTextarea   FieldKind = "textarea"   // at most 10,000 characters
	FieldNumber     FieldKind = "number"     // decimal: at most 15 digits, and 6 behind the point
	FieldDate       FieldKind = "date"       // a day: 2026-03-31
	FieldDropdown   FieldKind = "dropdown"   // the code of a choice
	FieldCheckboxes FieldKind = "checkboxes" // codes of choices
)

const (
	maxText     = 255
	maxTextarea = 10_000
)

// chooses says whether the values are choices.
func (k FieldKind) chooses() bool { return k == FieldDropdown || k == FieldCheckboxes }

// field checks what a field has beyond a label. old is the one stored, or nil.
func (ch *catalogChange) field(f, old *Field) {
	switch f.Kind {
	case FieldText, FieldTextarea, FieldNumber, FieldDate, FieldDropdown, FieldCheckboxes:
	default:
		ch.fault("fields", &f.Label, CatalogBadKind)
		return
	}
	if old != nil && old.Kind != f.Kind {
		ch.fault("fields", &f.Label, CatalogKind)
		return
	}
	if !f.Retired && f.Kind.chooses() != (len(f.Choices) > 0) {
		ch.fault("fields", &f.Label, CatalogChoices)
		return
	}
	var before []Label
	if old != nil {
		before = old.Choices
	}
	f.Choices = ch.labels("fields."+f.Code, before, f.Choices, nil)
}

// read brings the values somebody entered into the form they are kept in, or says why they cannot be.
// have is what the ticket has: a retired choice may stay. No values at all clear the field.
func (f *Field) read(values, have []string) ([]string, OptionReason) {
	if f.Kind == FieldCheckboxes {
		return f.readChoices(values, have)
	}
	switch len(values) {
	case 0:
		return nil, ""
	case 1:
	default:
		return nil, OptionOneValue
	}
	v := validText(values[0])
	if strings.TrimSpace(v) == "" {
		return nil, ""
	}
	switch f.Kind {
	case FieldText:
		if strings.ContainsFunc(v, unicode.IsControl) {
			return nil, OptionOneLine
		}
		return oneText(v, maxText)
	case FieldTextarea:
		return oneText(v, maxTextarea)
	case FieldNumber:
		n, ok := readNumber(v)
		if !ok {
			return nil, OptionNotNumber
		}
		return []string{n}, ""
	case FieldDate:
		day, err := time.Parse(time.DateOnly, strings.TrimSpace(v))
		if err != nil {
			return nil, OptionNotDate
		}
		return []string{day.Format(time.DateOnly)}, ""
	case FieldDropdown:
		return f.readChoices(values, have)
	}
	return nil, OptionUnknown // of a kind that a newer program made
}

func oneText(v string, limit int) ([]string, OptionReason) {
	if utf8.RuneCountInString(v) > limit {
		return nil, OptionTooLong
	}
	return []string{v}, ""
}

// readChoices puts the chosen codes into the order of the catalog, each once.
func (f *Field) readChoices(values, have []string) (kept []string, why OptionReason) {
	values = slices.DeleteFunc(slices.Clone(values), func(v string) bool { return v == "" })
	for i := range f.Choices {
		c := &f.Choices[i]
		if !slices.Contains(values, c.Code) {
			continue
		}
		if c.Retired && !slices.Contains(have, c.Code) {
			return nil, OptionRetired
		}
		kept = append(kept, c.Code)
	}
	for _, v := range values {
		if !slices.Contains(kept, v) {
			return nil, OptionUnknown
		}
	}
	return kept, ""
}

var number = regexp.MustCompile(`^([+-]?)([0-9]{1,15})(?:\.([0-9]{1,6}))?$`)

// readNumber writes a decimal number in its one form: no plus, no zero too many, no minus zero.
func readNumber(s string) (string, bool) {
	m := number.FindStringSubmatch(strings.TrimSpace(s))
	if m == nil {
		return "", false
	}
	whole, part := strings.TrimLeft(m[2], "0"), strings.TrimRight(m[3], "0")
	if whole == "" {
		whole = "0"
	}
	if part != "" {
		whole += "." + part
	}
	if m[1] == "-" && whole != "0" {
		whole = "-" + whole
	}
	return whole, true
}
