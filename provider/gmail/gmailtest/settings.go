package gmailtest

import (
	"slices"
	"strings"
)

// SendAs is an address that the account may send from.
type SendAs struct {
	Address, Name, ReplyTo string
	Primary                bool
	Default                bool
	Alias                  bool // treatAsAlias
	Verified               bool // else the person has not yet confirmed it
}

type sendAsJSON struct {
	SendAsEmail        string `json:"sendAsEmail"`
	DisplayName        string `json:"displayName"`
	ReplyToAddress     string `json:"replyToAddress"`
	Signature          string `json:"signature"`
	IsPrimary          bool   `json:"isPrimary,omitempty"`
	IsDefault          bool   `json:"isDefault,omitempty"`
	TreatAsAlias       bool   `json:"treatAsAlias,omitempty"`
	VerificationStatus string `json:"verificationStatus,omitempty"`
}

type sendAsListJSON struct {
	SendAs []sendAsJSON `json:"sendAs"`
}

// AddSendAs adds an address that the account may send from, or replaces it.
func (a *Account) AddSendAs(alias SendAs) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.aliases = slices.DeleteFunc(a.aliases, func(s SendAs) bool {
		return strings.EqualFold(s.Address, alias.Address)
	})
	a.aliases = append(a.aliases, alias)
}

// json shows an address as Gmail does: the primary one has no verification status, it needs none.
func (s SendAs) json(isDefault bool) sendAsJSON {
	j := sendAsJSON{
		SendAsEmail: s.Address, DisplayName: s.Name, ReplyToAddress: s.ReplyTo,
		IsPrimary: s.Primary, IsDefault: isDefault, TreatAsAlias: s.Alias,
	}
	switch {
	case s.Primary:
	case s.Verified:
		j.VerificationStatus = "accepted"
	default:
		j.VerificationStatus = "pending"
	}
	return j
}

// defaultAlias is the address that is marked so, or else the primary one.
func (a *Account) defaultAlias() int {
	if i := slices.IndexFunc(a.aliases, func(s SendAs) bool { return s.Default }); i >= 0 {
		return i
	}
	return slices.IndexFunc(a.aliases, func(s SendAs) bool { return s.Primary })
}

func listSendAs(c *call) (any, *apiError) {
	out := sendAsListJSON{SendAs: []sendAsJSON{}}
	preset := c.a.defaultAlias()
	for i, s := range c.a.aliases {
		out.SendAs = append(out.SendAs, s.json(i == preset))
	}
	return out, nil
}

func getSendAs(c *call) (any, *apiError) {
	preset := c.a.defaultAlias()
	for i, s := range c.a.aliases {
		if strings.EqualFold(s.Address, c.id) {
			return s.json(i == preset), nil
		}
	}
	return nil, notFound()
}
