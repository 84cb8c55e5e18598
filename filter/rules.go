package filter

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Mode is the visibility of an inbox: whose mail may enter (R-FLT-01, R-FLT-02).
type Mode string

// The modes. The empty mode means ClientAssociated.
const (
	ClientAssociated Mode = "client_associated" // mail of clients and what belongs to it
	All              Mode = "all"               // every mail, except by the rejecting rows
)

// Switch is on, off or, when empty, what the comment of its field gives as the default.
type Switch string

// The positions of a Switch.
const (
	On  Switch = "on"
	Off Switch = "off"
)

func (s Switch) or(byDefault bool) bool { return s == On || s == "" && byDefault }

// Class says what kind of mail a message is (11.6). The texts are those of rfc822.Class. The empty
// class means Human.
type Class string

// The classes.
const (
	Human     Class = "human"
	AutoReply Class = "auto_reply"
	Bounce    Class = "bounce"
	Bulk      Class = "bulk"
	NoReply   Class = "no_reply"
	Calendar  Class = "calendar"
)

// ClassPolicy says what becomes of automated mail of one class. Empty means PolicyAccept.
type ClassPolicy string

// The policies.
const (
	PolicyAccept        ClassPolicy = "accept"         // enters, flagged with its class
	PolicyAcceptPrivate ClassPolicy = "accept_private" // enters, for the creator alone
	PolicyReject        ClassPolicy = "reject"         // stays out, unless row 10, 11 or 12 lets it in
)

// ExclusionScope says when an exclusion takes a message that others are on too (11.5). Whatever the
// scope, an inbound message is taken by an excluded From or Sender, and an outbound one when every
// external recipient is excluded (R-FLT-03); the other scopes take more. Empty means SenderOnly.
type ExclusionScope string

// The scopes, each taking at least what the one before it takes.
const (
	// SenderOnly takes nothing more.
	SenderOnly ExclusionScope = "sender_only"
	// AllCounterparties also takes a message when every external participant is excluded.
	AllCounterparties ExclusionScope = "all_counterparties"
	// AnyParticipant also takes a message when anybody on it but the mailbox is excluded.
	AnyParticipant ExclusionScope = "any_participant"
)

func (s ExclusionScope) rank() int {
	return slices.Index([]ExclusionScope{SenderOnly, AllCounterparties, AnyParticipant}, s)
}

// Rules are the filter settings of one inbox. The zero value is the default of every one of them:
// mode ClientAssociated, nothing excluded. Rules are plain data and are stored as JSON; Normalize
// gives equal rules equal JSON.
type Rules struct {
	Mode    Mode        `json:"mode,omitempty"`
	Exclude []Exclusion `json:"exclude,omitempty"`
	// ExactExclude makes an excluded "acme.com" leave its subdomains alone.
	ExactExclude bool           `json:"exact_exclude,omitempty"`
	Scope        ExclusionScope `json:"scope,omitempty"`
	// InternalGuard rejects mail among internal people (row 7). Default: on in ClientAssociated, off
	// in All.
	InternalGuard Switch `json:"internal_guard,omitempty"`
	// Automated applies Classes (row 8). Default: on in ClientAssociated, off in All.
	Automated Switch                `json:"automated,omitempty"`
	Classes   map[Class]ClassPolicy `json:"classes,omitempty"`
	// PreferReplyTo takes the first external Reply-To address of an inbound message for its
	// counterparty. Exclusions then look at both.
	PreferReplyTo bool `json:"prefer_reply_to,omitempty"`
	// OutboundOpensTicket lets mail to a client enter by itself, not only in a known thread
	// (R-FLT-05). Default: on.
	OutboundOpensTicket Switch `json:"outbound_opens_ticket,omitempty"`
	// GroupsCount lets companies of the kind "group" count as companies (R-FLT-07). Default: on.
	GroupsCount Switch `json:"groups_count,omitempty"`
	// AllowPublic lists bases of forced public domains that the creator lets pass row 12 (R-DOM-05).
	AllowPublic []Domain `json:"allow_public,omitempty"`
}

// Revision is one version of an inbox's rules and the moment it took effect (R-CHG-05, R-CHG-06).
type Revision struct {
	Version uint64    `json:"version"`
	At      time.Time `json:"at"` // the first revision holds from the beginning of time, whatever its At
	Rules   Rules     `json:"rules"`
}

// Normalize returns the rules in the form to store: mode and scope spelled out, lists sorted and
// without repetition, classes with the default policy left out. A switch stays as it is, because what
// its default means depends on the mode. The result shares no memory with r and decides alike.
func (r Rules) Normalize() Rules {
	if r.Mode == "" {
		r.Mode = ClientAssociated
	}
	if r.Scope == "" {
		r.Scope = SenderOnly
	}
	var exclude []Exclusion
	for _, e := range r.Exclude {
		exclude = append(exclude, e.normalize())
	}
	slices.SortFunc(exclude, Exclusion.compare)
	r.Exclude = slices.Compact(exclude)
	var classes map[Class]ClassPolicy
	for class, policy := range r.Classes {
		if policy == "" || policy == PolicyAccept {
			continue
		}
		if classes == nil {
			classes = map[Class]ClassPolicy{}
		}
		classes[class] = policy
	}
	r.Classes = classes
	allow := append([]Domain(nil), r.AllowPublic...)
	slices.SortFunc(allow, func(a, b Domain) int { return strings.Compare(a.name, b.name) })
	r.AllowPublic = slices.Compact(allow)
	return r
}

// Validate returns every fault of the rules at once (errors.Join), each naming its field and, in
// Exclude, the place in the list counted from 1; nil means that Compile takes them.
func (r Rules) Validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if r.Mode != "" && r.Mode != ClientAssociated && r.Mode != All {
		fault("mode %q is unknown", r.Mode)
	}
	if r.Scope != "" && r.Scope.rank() < 0 {
		fault("scope %q is unknown", r.Scope)
	}
	for _, s := range []struct {
		name  string
		value Switch
	}{
		{"internal_guard", r.InternalGuard},
		{"automated", r.Automated},
		{"outbound_opens_ticket", r.OutboundOpensTicket},
		{"groups_count", r.GroupsCount},
	} {
		if s.value != "" && s.value != On && s.value != Off {
			fault("%s %q is neither %q nor %q", s.name, s.value, On, Off)
		}
	}
	for i, e := range r.Exclude {
		if err := e.validate(); err != nil {
			fault("exclusion %d: %w", i+1, err)
		}
	}
	automated := []Class{AutoReply, Bounce, Bulk, NoReply, Calendar}
	policies := []ClassPolicy{"", PolicyAccept, PolicyAcceptPrivate, PolicyReject}
	for _, class := range slices.Sorted(maps.Keys(r.Classes)) {
		policy := r.Classes[class]
		if !slices.Contains(automated, class) {
			fault("class %q has no policy", class)
		}
		if !slices.Contains(policies, policy) {
			fault("policy %q of class %q is unknown", policy, class)
		}
	}
	for i, d := range r.AllowPublic {
		if d.IsZero() {
			fault("allow_public %d: %w", i+1, &DomainError{Reason: "is empty"})
		}
	}
	return errors.Join(faults...)
}

// guard says whether row 7 is on.
func (r *Rules) guard() bool { return r.InternalGuard.or(r.Mode != All) }

// policy returns the policy of the class, with its default.
func (r *Rules) policy(c Class) ClassPolicy {
	if p := r.Classes[c]; p != "" && r.Automated.or(r.Mode != All) {
		return p
	}
	return PolicyAccept
}
