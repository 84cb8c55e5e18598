package inbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/storage"
)

// NoteBounce notes on the customers of a site that a hard bounce named one of their addresses, primary
// or alternative, at that time (Customer.Bounced). The time only moves on, an older bounce changes
// nothing; addresses of no live customer are passed over. The first bounce of a customer is an
// EventCustomerEdited, later ones are none. It can be repeated. It is the engine's own: package ticket
// calls it with the recipients of a delivery report that is hard.
func (s *Service) NoteBounce(ctx context.Context, site SiteID, at time.Time, addresses ...string) error {
	if at.IsZero() {
		return errors.New("note a bounce: its time is required")
	}
	at = at.UTC().Truncate(time.Microsecond)
	var keys []string
	for _, a := range addresses {
		if key := filter.AddressKey(a); key != "" && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	for _, key := range keys {
		if err := s.noteBounce(ctx, site, at, key); err != nil {
			return fmt.Errorf("note a bounce: %w", err)
		}
	}
	return nil
}

func (s *Service) noteBounce(ctx context.Context, site SiteID, at time.Time, key string) error {
	return storage.Redo(func() error {
		c, err := s.customerAt(ctx, site, key)
		if err != nil || c == nil || !c.Bounced.Before(at) {
			return err
		}
		var ev []Event
		if c.Bounced.IsZero() {
			ev = append(ev, Event{ID: s.NewID(), Name: EventCustomerEdited, At: s.now(), Site: site,
				Facts: map[string]string{"customer": string(c.ID)}})
		}
		c.Bounced = at
		_, err = s.Store.SaveCustomers(ctx, []Customer{*c}, ev...)
		return err
	})
}

// customerAt returns the live customer with that address key, or nil.
func (s *Service) customerAt(ctx context.Context, site SiteID, key string) (*Customer, error) {
	for c, err := range s.Store.Customers(ctx, CustomerQuery{Site: site, Address: key, Limit: 1}) {
		if err != nil {
			return nil, err
		}
		return &c, nil
	}
	return nil, nil
}
