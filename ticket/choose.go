package ticket

import (
	"context"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/inbox"
)

// checkStatus refuses a status the site does not have, or has no more.
func (s *Service) checkStatus(ctx context.Context, site inbox.SiteID, st Status) error {
	if st.BuiltIn() {
		return nil
	}
	c, err := s.catalogOf(ctx, site)
	if err != nil {
		return err
	}
	return choose("status", c.Statuses, string(st))
}

// choose refuses what is not in a list, or is there no more.
func choose(option string, from []Label, code string) error {
	return chosen(option, find(from, code), code)
}

// chosen is choose for the label that was found; nil is none.
func chosen(option string, l *Label, code string) error {
	switch {
	case l == nil:
		return &OptionError{Option: option, Value: validText(code), Reason: OptionUnknown}
	case l.Retired:
		return &OptionError{Option: option, Value: code, Reason: OptionRetired}
	}
	return nil
}

// chooseType refuses a type the site does not have, or does not offer in the inbox.
func (c *Catalog) chooseType(in *inbox.Inbox, code string) error {
	t := find(c.Types, code)
	if t == nil {
		return chosen("type", nil, code)
	}
	if err := chosen("type", &t.Label, code); err != nil {
		return err
	}
	if !t.Offers(in) {
		return &OptionError{Option: "type", Value: code, Reason: OptionElsewhere}
	}
	return nil
}

// defaultType is the type of a new ticket in an inbox, empty for none.
func (c *Catalog) defaultType(in *inbox.Inbox) string {
	for i := range c.Types {
		if t := &c.Types[i]; t.Default && !t.Retired && t.Offers(in) {
			return t.Code
		}
	}
	return ""
}

// readField brings the values of a custom field into their form. A field may always be cleared.
func (c *Catalog) readField(in *inbox.Inbox, code string, values, have []string) ([]string, error) {
	f := find(c.Fields, code)
	option := "field." + code
	if f == nil {
		return nil, &OptionError{Option: validText(option), Reason: OptionUnknown}
	}
	kept, why := f.read(values, have)
	switch {
	case why != "":
	case len(kept) == 0:
		return nil, nil
	case f.Retired:
		why = OptionRetired
	case !f.Offers(in):
		why = OptionElsewhere
	}
	if why != "" {
		e := &OptionError{Option: option, Reason: why}
		if f.Kind.chooses() && len(values) == 1 {
			e.Value = validText(values[0])
		}
		return nil, e
	}
	return kept, nil
}

// chosenCustomer is a customer whom somebody picks, and must know of (R-CUS-07).
func (s *Service) chosenCustomer(ctx context.Context, actor acl.Actor, id inbox.CustomerID) (inbox.Customer, error) {
	c, err := s.Inboxes.Customer(ctx, actor, id)
	if err != nil && refused(err) {
		return inbox.Customer{}, &OptionError{Option: "customer", Value: validText(string(id)), Reason: OptionUnknown}
	}
	return c, err
}
