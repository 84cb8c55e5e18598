package inbox

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/provider/rfc822"
	"github.com/workinbox/workinbox/storage"
)

// ErrDomainTaken says that another company of the site holds the pattern (R-DOM-04).
var ErrDomainTaken = errors.New("another company has this domain")

// CompanyEdit is what a person enters of a company. The name is one line (OneLine), the website an address
// of http or https: what is not, or is no kind of company, is an *InputError for each, but for what is stored
// of the company already. So is every bad domain, by its place. Domains replaces the list; a domain that stays
// keeps the time it was added.
type CompanyEdit struct {
	Name    string
	Kind    CompanyKind
	Domains []string
	// ForcePublic takes domains of public mail providers too; they associate customers but let
	// nobody in by themselves (R-DOM-05).
	ForcePublic bool

	Email, Phone, Website, Industry, Address, Details string
}

// CreateCompany adds a client. Customers already known at its domains become its customers, unless
// somebody put them elsewhere by hand (R-CUS-03, R-CUS-04). Every bad domain is named at once.
func (s *Service) CreateCompany(ctx context.Context, actor acl.Actor, e CompanyEdit) (Company, error) {
	return s.saveCompany(ctx, actor, Company{
		ID: CompanyID(s.NewID()), Site: SiteID(actor.Site), CreatedAt: s.now(),
	}, e)
}

// UpdateCompany replaces what is known of a client. A domain that goes takes the customers it
// brought along; what was imported for them stays and is flagged (R-CUS-04, R-CHG-07). Repeating it
// finishes what an error cut off.
func (s *Service) UpdateCompany(ctx context.Context, actor acl.Actor, id CompanyID, e CompanyEdit) (Company, error) {
	c, err := s.company(ctx, actor, id)
	if err == nil && !c.DeletedAt.IsZero() {
		err = notFoundClient("company", string(id))
	}
	if err != nil {
		return Company{}, err
	}
	return s.saveCompany(ctx, actor, c, e)
}

// DeleteCompany ends a client. Its domains let nothing in any more and its customers have no company;
// tickets stay, flagged. RestoreCompany brings it back.
func (s *Service) DeleteCompany(ctx context.Context, actor acl.Actor, id CompanyID) error {
	return s.setCompanyDeleted(ctx, actor, id, true)
}

// RestoreCompany undoes DeleteCompany. Domains taken by another company meanwhile are ErrDomainTaken.
// Its domains let mail in that is received from now on, as if they were new (R-CHG-06).
func (s *Service) RestoreCompany(ctx context.Context, actor acl.Actor, id CompanyID) error {
	return s.setCompanyDeleted(ctx, actor, id, false)
}

// Company returns one live client of the actor's site.
func (s *Service) Company(ctx context.Context, actor acl.Actor, id CompanyID) (Company, error) {
	if acl.Visible(actor).None {
		return Company{}, notFoundClient("company", string(id))
	}
	c, err := s.Store.Company(ctx, SiteID(actor.Site), id)
	if err == nil && !c.DeletedAt.IsZero() {
		return Company{}, notFoundClient("company", string(id))
	}
	return c, err
}

// Companies yields the live clients of the actor's site by ID.
func (s *Service) Companies(ctx context.Context, actor acl.Actor, q CompanyQuery) iter.Seq2[Company, error] {
	q.Site, q.Deleted = SiteID(actor.Site), false
	if acl.Visible(actor).None {
		return func(func(Company, error) bool) {}
	}
	return s.Store.Companies(ctx, q)
}

// company loads a client for somebody who may manage clients (R-CUS-05).
func (s *Service) company(ctx context.Context, actor acl.Actor, id CompanyID) (Company, error) {
	if err := managesCompanies(actor); err != nil {
		return Company{}, err
	}
	return s.Store.Company(ctx, SiteID(actor.Site), id)
}

func (s *Service) saveCompany(ctx context.Context, actor acl.Actor, c Company, e CompanyEdit) (Company, error) {
	if err := managesCompanies(actor); err != nil {
		return Company{}, err
	}
	before := c.Domains
	name, website := strings.TrimSpace(e.Name), strings.TrimSpace(e.Website)
	domains, err := s.companyDomains(before, e)
	if err := errors.Join(checkName(name, c.Name), oneOf("kind", e.Kind, c.Kind, "", KindCompany, KindGroup),
		checkWebsite(website, strings.TrimSpace(c.Website)), err); err != nil {
		return Company{}, err
	}
	c.Name, c.Kind, c.Domains = name, e.Kind, domains
	c.Email, c.Phone, c.Website = e.Email, e.Phone, website
	c.Industry, c.Address, c.Details = e.Industry, e.Address, e.Details
	if c.Name == "" {
		return Company{}, fmt.Errorf("company: %w", ErrMissingName)
	}
	return s.storeCompany(ctx, actor, c, before)
}

// storeCompany saves a client and lets customers follow its domains.
func (s *Service) storeCompany(ctx context.Context, actor acl.Actor, c Company, before []CompanyDomain) (Company, error) {
	ev := Event{ID: s.NewID(), Name: EventCompanyEdited, At: s.now(), Site: c.Site, Actor: actor.User,
		Facts: map[string]string{"company": string(c.ID)}}
	out, err := s.Store.SaveCompany(ctx, c, ev)
	if errors.Is(err, storage.ErrExists) {
		return Company{}, fmt.Errorf("company %q: %w", c.ID, ErrDomainTaken)
	}
	if err != nil {
		return Company{}, err
	}
	touched := append(slices.Clone(before), c.Domains...)
	if c.Version == 0 { // no mail bears a new client's name
		return out, s.followDomains(ctx, c.Site, c.ID, touched)
	}
	return out, s.follow(ctx, c.Site, c.ID, touched)
}

// follow lets customers and stored mail follow what became of a client.
func (s *Service) follow(ctx context.Context, site SiteID, id CompanyID, domains []CompanyDomain) error {
	if err := s.followDomains(ctx, site, id, domains); err != nil {
		return err
	}
	return s.flagAssociation(ctx, site, id)
}

func (s *Service) setCompanyDeleted(ctx context.Context, actor acl.Actor, id CompanyID, deleted bool) error {
	c, err := s.company(ctx, actor, id)
	if err != nil {
		return err
	}
	if c.DeletedAt.IsZero() != deleted { // done before, perhaps not to its end
		return s.follow(ctx, c.Site, c.ID, c.Domains)
	}
	c.DeletedAt = time.Time{}
	if deleted {
		c.DeletedAt = s.now()
	} else {
		c.Domains = slices.Clone(c.Domains)
		for i := range c.Domains {
			c.Domains[i].Since = s.now()
		}
	}
	_, err = s.storeCompany(ctx, actor, c, c.Domains)
	return err
}

// companyDomains parses the lines of a form, all bad ones at once.
func (s *Service) companyDomains(before []CompanyDomain, e CompanyEdit) ([]CompanyDomain, error) {
	var out []CompanyDomain
	var bad []error
	for i, line := range e.Domains {
		p, err := filter.ParseCompanyPattern(line, filter.CompanyOptions{ForcePublic: e.ForcePublic})
		if err != nil {
			bad = append(bad, badDomain(i+1, err))
			continue
		}
		if slices.ContainsFunc(out, func(d CompanyDomain) bool { return d.Pattern == p }) {
			continue
		}
		d := CompanyDomain{Pattern: p, Forced: filter.IsPublicProvider(p.Base()), Since: s.now()}
		for _, b := range before {
			if b.Pattern == p {
				d.Since = b.Since
			}
		}
		out = append(out, d)
	}
	return out, errors.Join(bad...)
}

// badDomain says which line of a form is no domain of a company.
func badDomain(place int, err error) error {
	reason := err.Error()
	if bad := (*filter.DomainError)(nil); errors.As(err, &bad) {
		reason = bad.Reason
	}
	return &InputError{Field: fmt.Sprintf("domain %d", place), Reason: reason, Err: err}
}

// followDomains gives every customer of the company and at one of the domains the company that the
// site's directory now says, unless it was picked by hand.
func (s *Service) followDomains(ctx context.Context, site SiteID, company CompanyID, domains []CompanyDomain) error {
	snap, err := s.snapshot(ctx, site)
	if err != nil {
		return err
	}
	queries := []CustomerQuery{{Site: site, Company: company}}
	for _, d := range domains {
		queries = append(queries, CustomerQuery{Site: site, Domain: d.Pattern.Base().String()})
	}
	for _, q := range queries {
		for c, err := range s.Store.Customers(ctx, q) {
			if err != nil {
				return err
			}
			if err := s.followDirectory(ctx, c, snap.dir); err != nil {
				return err
			}
		}
	}
	return nil
}

// followDirectory stores a customer as the directory has them, reading them again when a sync was faster, and
// gives their stored mail without a company the one they have now (R-CUS-04).
func (s *Service) followDirectory(ctx context.Context, c Customer, dir *filter.Directory) error {
	for try := 0; ; try++ {
		next, changed := s.associate(c, dir)
		if !changed {
			return nil
		}
		_, err := s.Store.SaveCustomers(ctx, []Customer{next})
		if err == nil {
			return s.nameCompany(ctx, &next)
		}
		if try == 9 || !conflict(err) {
			return err
		}
		if c, err = s.Store.Customer(ctx, c.Site, c.ID); err != nil {
			return err
		}
	}
}

// nameCompany gives a customer's stored mail that has no company theirs.
func (s *Service) nameCompany(ctx context.Context, c *Customer) error {
	if c.Company == "" {
		return nil
	}
	for _, id := range c.KnownFrom {
		var changes []MessageChange
		for m, err := range s.Store.Messages(ctx, MessageQuery{Inbox: id, Customer: c.ID, Hidden: true}) {
			if err != nil {
				return err
			}
			if m.Company == "" {
				changes = append(changes, MessageChange{ID: m.ID, Company: &c.Company})
			}
		}
		if err := s.changeMail(ctx, id, always, changes); err != nil {
			return err
		}
	}
	return nil
}

// associate returns the customer as the directory would have them, and what was entered of them
// likewise (R-CUS-03).
func (s *Service) associate(c Customer, dir *filter.Directory) (Customer, bool) {
	changed := s.associateWith(&c, c.addresses(), dir)
	if c.Entered == nil {
		return c, changed
	}
	v := c.asEntered()
	if !s.associateWith(&v, v.addresses(), dir) {
		return c, changed
	}
	e := *c.Entered
	e.Company, e.Source, e.Pattern, e.Since = v.Company, v.Source, v.Pattern, v.Since
	c.Entered = &e
	return c, true
}

// associateWith gives a customer the company of the first of the addresses that has one, unless theirs
// was picked by hand, and says whether that changed anything.
func (s *Service) associateWith(c *Customer, addresses []string, dir *filter.Directory) bool {
	if c.Source == SourceManual {
		return false
	}
	var company CompanyID
	var pattern filter.Pattern
	ok := false
	for i := 0; !ok && i < len(addresses); i++ {
		company, pattern, ok = dir.Company(addresses[i])
	}
	if !ok && c.Source == SourceNone && c.Company == "" ||
		ok && c.Source == SourceDomain && c.Company == company && c.Pattern != nil && *c.Pattern == pattern {
		return false
	}
	if c.Company != company {
		c.Since = s.now()
	}
	c.Company, c.Source, c.Pattern = company, SourceNone, nil
	if ok {
		c.Source, c.Pattern = SourceDomain, &pattern
	}
	return true
}

// flagAssociation marks the stored mail of a client that nobody on it belongs to any more, and
// unmarks what does again (R-CHG-07).
func (s *Service) flagAssociation(ctx context.Context, site SiteID, company CompanyID) error {
	snap, err := s.snapshot(ctx, site)
	if err != nil {
		return err
	}
	for in, err := range s.Store.Inboxes(ctx, Query{Site: site}) {
		if err != nil {
			return err
		}
		var changes []MessageChange
		gone, alone := 0, 0 // for all to know, and for the creator alone
		for m, err := range s.Store.Messages(ctx, MessageQuery{Inbox: in.ID, Hidden: true}) {
			if err != nil {
				return err
			}
			if m.Company != company {
				continue
			}
			lost := !belongs(&m, company, snap.dir)
			if lost == m.AssociationLost {
				continue
			}
			switch {
			case lost && m.creatorsAlone():
				alone++
			case lost:
				gone++
			}
			changes = append(changes, MessageChange{ID: m.ID, AssociationLost: &lost})
		}
		var ev []Event
		facts := func(n int) map[string]string {
			return map[string]string{"company": string(company), "messages": fmt.Sprint(n)}
		}
		if gone > 0 {
			ev = append(ev, s.event(Event{Name: EventAssociationLost, Facts: facts(gone)}, &in, ""))
		}
		if alone > 0 {
			ev = append(ev, s.event(Event{Name: EventAssociationLost, Target: in.Creator, Personal: true, Facts: facts(alone)}, &in, ""))
		}
		if err := s.changeMail(ctx, in.ID, always, changes, ev...); err != nil {
			return err
		}
	}
	return nil
}

// changeMail stores changes of an inbox's messages in steps, the events with the first. still is asked as
// by commitChanges.
func (s *Service) changeMail(ctx context.Context, id ID, still func() error, changes []MessageChange, ev ...Event) error {
	for part := range slices.Chunk(changes, 500) {
		if err := s.commitChanges(ctx, id, still, part, ev...); err != nil {
			return err
		}
		ev = nil
	}
	return nil
}

// belongs says whether anybody on the mail is of the company, as the directory has it now.
func belongs(m *Message, company CompanyID, dir *filter.Directory) bool {
	for _, list := range [][]rfc822.Address{m.From, m.To, m.Cc} {
		for _, a := range list {
			if c, _, ok := dir.Company(a.Address); ok && c == company {
				return true
			}
			if _, c, ok := dir.Customer(a.Address); ok && c == company {
				return true
			}
		}
	}
	return false
}

func managesCompanies(actor acl.Actor) error {
	if actor.ManagesCompanies() {
		return nil
	}
	return fmt.Errorf("managing clients takes an owner, an admin, or an agent with ManageCompanies: %w", acl.ErrDenied)
}

func notFoundClient(entity, id string) error {
	return &storage.Error{Op: "read", Entity: entity, ID: id, Err: storage.ErrNotFound}
}
