package inbox

import (
	"errors"
	"time"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/storage"
)

// CompanyID names a company.
type CompanyID = filter.CompanyID

// CustomerID names a customer.
type CustomerID = filter.CustomerID

// ErrMissingName says that a required name is empty.
var ErrMissingName = errors.New("a name is required")

// Company is a client. Its domains decide whose mail may enter (RULES 6).
type Company struct {
	ID      CompanyID       `json:"id"`
	Site    SiteID          `json:"site"`
	Name    string          `json:"name"`
	Kind    CompanyKind     `json:"kind,omitempty"`
	Domains []CompanyDomain `json:"domains,omitempty"`

	Email    string `json:"email,omitempty"`
	Phone    string `json:"phone,omitempty"`
	Website  string `json:"website,omitempty"`
	Industry string `json:"industry,omitempty"`
	Address  string `json:"address,omitempty"`
	Details  string `json:"details,omitempty"`

	CreatedAt time.Time       `json:"created_at"`
	DeletedAt time.Time       `json:"deleted_at"`
	Version   storage.Version `json:"version"`
}

// CompanyKind is "company" (also the zero value) or "group".
type CompanyKind string

// The kinds of company.
const (
	KindCompany CompanyKind = "company"
	KindGroup   CompanyKind = "group"
)

// CompanyDomain is one domain of a company. Since is when it was added: mail received before counts
// only in a backfill (R-CHG-06). Forced marks a public mail domain taken on purpose (R-DOM-05).
type CompanyDomain struct {
	Pattern filter.Pattern `json:"pattern"`
	Forced  bool           `json:"forced,omitempty"`
	Since   time.Time      `json:"since"`
}

// Customer is a person who mails with the team. Keys of Address and Alternatives
// (filter.AddressKey) belong to at most one live customer of a site.
type Customer struct {
	ID           CustomerID `json:"id"`
	Site         SiteID     `json:"site"`
	Name         string     `json:"name,omitempty"`
	Address      string     `json:"address"`                // primary, as an address key
	Alternatives []string   `json:"alternatives,omitempty"` // as Service shows them, sorted

	Company CompanyID `json:"company,omitempty"`
	// Source says how the company came about: by hand beats by domain (R-CUS-03).
	Source  Source          `json:"source,omitempty"`
	Pattern *filter.Pattern `json:"pattern,omitempty"` // the domain that matched
	Since   time.Time       `json:"since"`             // when the association began

	// KnownFrom lists the inboxes the person is known from, sorted; ByHand that somebody entered
	// them. Both decide who may know of the customer (R-CUS-07).
	KnownFrom []ID `json:"known_from,omitempty"`
	ByHand    bool `json:"by_hand,omitempty"`
	// Entered, Claimed and ClaimedBy keep apart what was entered of people whom the one who entered it
	// could not know of (R-CUS-07). They are the store's alone: Service shows none of them.
	//
	// Claimed are addresses entered of this customer by which another is found, the primary one first
	// where Address is empty; ClaimedBy names, by address, who claims one of this customer's.
	Entered   *Entered              `json:"entered,omitempty"`
	Claimed   []string              `json:"claimed,omitempty"`
	ClaimedBy map[string]CustomerID `json:"claimed_by,omitempty"`

	// Bounced is when a hard bounce last named one of the addresses; zero when none has (NoteBounce).
	// A new primary address clears it (UpdateCustomer). Mail from the person does not: that they can
	// send says nothing of whether they can be reached.
	Bounced   time.Time       `json:"bounced"`
	CreatedAt time.Time       `json:"created_at"`
	DeletedAt time.Time       `json:"deleted_at"`
	Version   storage.Version `json:"version"`
}

// Source says where a customer's company comes from.
type Source string

// The sources.
const (
	SourceNone   Source = ""
	SourceManual Source = "manual"
	SourceDomain Source = "domain"
)

// Known is a person seen on accepted mail, for EnsureCustomers.
type Known struct {
	Address string // addr-spec as it came
	Name    string
	Company CompanyID // by domain; empty when none matched
	Pattern *filter.Pattern
}
