package sqlstore

import (
	"context"

	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/inbox"
	"github.com/workinbox/workinbox/storage"
)

// Snapshot returns what the filter needs of a site's live companies and customers. A live customer of
// a deleted company is one without company. An address key that is no address is left out: it could
// match no mail.
func (s *Store) Snapshot(
	ctx context.Context, site inbox.SiteID, after storage.Version,
) (*filter.DirectoryData, storage.Version, error) {
	var data *filter.DirectoryData
	var version storage.Version
	o := op{"read", "clients", string(site)}
	err := s.read(ctx, o, func(x *session) (err error) {
		version, err = x.snapshotVersion(site)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	if version == after {
		return nil, after, nil
	}
	err = s.snapshot(ctx, o, func(x *session) (err error) {
		if version, err = x.snapshotVersion(site); err != nil {
			return err
		}
		data, err = x.directoryData(site)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	return data, version, nil
}

func (x *session) snapshotVersion(site inbox.SiteID) (version storage.Version, err error) {
	err = x.one("SELECT version FROM {snapshots} WHERE site = ?", []any{string(site)}, &version)
	if isNone(err) {
		return 0, nil
	}
	return version, err
}

func (x *session) directoryData(site inbox.SiteID) (*filter.DirectoryData, error) {
	d := new(filter.DirectoryData)
	of := []any{string(site)}
	err := x.every("SELECT pattern, company, forced, since FROM {domains} WHERE site = ?", of,
		func(scan func(...any) error) error {
			var e filter.DomainEntry
			var pattern string
			var since int64
			if err := scan(&pattern, (*string)(&e.Company), &e.Forced, &since); err != nil {
				return err
			}
			e.Since = moment(since)
			d.Domains = append(d.Domains, e)
			return d.Domains[len(d.Domains)-1].Pattern.UnmarshalText([]byte(pattern))
		})
	if err != nil {
		return nil, err
	}
	each := func(text string, found func(inbox.CompanyID)) error {
		return x.every(text, of, func(scan func(...any) error) error {
			var id string
			err := scan(&id)
			found(inbox.CompanyID(id))
			return err
		})
	}
	err = each("SELECT id FROM {companies} WHERE site = ? AND grp = 1",
		func(id inbox.CompanyID) { d.Groups = append(d.Groups, id) })
	if err != nil {
		return nil, err
	}
	deleted := make(map[inbox.CompanyID]bool)
	err = each("SELECT id FROM {companies} WHERE site = ? AND deleted = 1",
		func(id inbox.CompanyID) { deleted[id] = true })
	if err != nil {
		return nil, err
	}
	return d, x.customerEntries(d, site, deleted)
}

func (x *session) customerEntries(
	d *filter.DirectoryData, site inbox.SiteID, deleted map[inbox.CompanyID]bool,
) error {
	return x.every("SELECT address, customer, company, since FROM {addresses} WHERE site = ? AND live = 1",
		[]any{string(site)}, func(scan func(...any) error) error {
			var e filter.CustomerEntry
			var since int64
			err := scan(&e.Address, (*string)(&e.Customer), (*string)(&e.Company), &since)
			if err != nil {
				return err
			}
			if e.Since = moment(since); deleted[e.Company] {
				e.Company = ""
			}
			if isAddress(e.Address) {
				d.Customers = append(d.Customers, e)
			}
			return nil
		})
}
