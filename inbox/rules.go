package inbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/workinbox/workinbox/acl"
	"github.com/workinbox/workinbox/filter"
	"github.com/workinbox/workinbox/storage"
)

// SetRules is step 2 of the set-up, and later every change of what may enter. The rules are checked
// whole: every bad line is named at once. Each edit after Finish is a new revision, in force for
// mail received from now on where it lets more in, and at once where it lets less in (R-CHG-06).
// Letting more in needs acl.Widen, and to add to AllowPublic is the creator's alone (R-DOM-05). Personal
// exclusions are the creator's own: what others pass of them is ignored and what stands stays. A change of
// the mode is applied to stored mail before the call returns: what no longer qualifies is hidden from
// everyone but the creator, what qualifies again is shown (R-CHG-03, R-CHG-07). Of two changes at once the
// later one decides.
func (s *Service) SetRules(ctx context.Context, actor acl.Actor, id ID, rules filter.Rules) (Inbox, error) {
	if err := rules.Validate(); err != nil {
		return Inbox{}, err
	}
	in, err := s.Authorize(ctx, actor, id, acl.EditSettings, nil)
	if err != nil {
		return Inbox{}, err
	}
	settings, err := s.Sites.Site(ctx, in.Site)
	if err != nil {
		return Inbox{}, err
	}
	if _, err := siteExclusions(settings); err != nil {
		return Inbox{}, err
	}
	modeChanged := false
	out, err := s.edit(ctx, actor, id, acl.EditSettings, nil, func(in *Inbox) ([]Change, []Event, error) {
		old, version := in.Rules()
		next := rulesBy(actor.User, in, rules)
		if err := mayWiden(actor, in, old, next); err != nil {
			return nil, nil, err
		}
		rev := filter.Revision{Version: version + 1, At: s.now(), Rules: next}
		if in.FinishedAt.IsZero() {
			in.Revisions = []filter.Revision{rev}
		} else {
			modeChanged = next.Mode != old.Mode
			in.Revisions = append(in.Revisions, rev)
		}
		return nil, []Event{{Name: EventRulesChanged, Target: in.Creator,
			Facts: map[string]string{"version": fmt.Sprint(rev.Version), "mode": string(next.Mode)}}}, nil
	})
	if err != nil {
		return Inbox{}, err
	}
	if !out.FinishedAt.IsZero() {
		if err := s.fence(ctx, id); err != nil {
			return Inbox{}, err
		}
	}
	if modeChanged {
		if err := s.reapply(ctx, &out); err != nil {
			return Inbox{}, fmt.Errorf("rules are saved, but stored mail could not be gone through: %w", err)
		}
	}
	return redactInbox(actor, out), nil
}

// Reapply goes through stored mail with the rules in force: what they would not let in any more is
// hidden from everyone but the creator, what was hidden and qualifies is shown. It never fetches
// anything; Backfill does. It is the creator's alone (R-CHG-06). ErrSetup before the first SetRules.
func (s *Service) Reapply(ctx context.Context, actor acl.Actor, id ID) error {
	in, err := s.Authorize(ctx, actor, id, acl.Backfill, nil)
	if err != nil {
		return err
	}
	if len(in.Revisions) == 0 {
		return fmt.Errorf("choose what may enter first (SetRules): %w", ErrSetup)
	}
	return s.reapply(ctx, &in)
}

// errNewerRules says that rules were changed while mail was gone through under those before.
var errNewerRules = errors.New("the rules were changed meanwhile")

// reapply decides stored messages again under the newest rules, and once more where somebody changed them
// meanwhile: under rules that hold no longer nothing is hidden or shown.
func (s *Service) reapply(ctx context.Context, in *Inbox) error {
	for try := 0; ; try++ {
		err := s.reapplyRevision(ctx, in)
		if try == 9 || !errors.Is(err, errNewerRules) {
			return err
		}
		now, err := s.Store.Inbox(ctx, in.ID)
		if err != nil {
			return err
		}
		in = &now
	}
}

// reapplyRevision decides stored messages, thread by thread oldest first. No floor holds: what a backfill
// brought in is older than that of the inbox. errNewerRules where the inbox has newer rules by now.
func (s *Service) reapplyRevision(ctx context.Context, in *Inbox) error {
	snap, err := s.snapshot(ctx, in.Site)
	if err != nil {
		return err
	}
	last := in.Revisions[len(in.Revisions)-1:]
	f, err := s.compile(in, snap, filter.Config{Revisions: last, Backfill: true})
	if err != nil {
		return err
	}
	var all []MessageChange
	opened := make(map[ThreadID]time.Time)
	var oldest []Message
	for m, err := range s.Store.Messages(ctx, MessageQuery{Inbox: in.ID, Hidden: true}) {
		if err != nil {
			return err
		}
		oldest = append(oldest, slim(m))
	}
	slices.Reverse(oldest)
	for i := range oldest {
		m := &oldest[i]
		facts := factsOfStored(m)
		v := f.Decide(&facts, filter.Thread{Opened: opened[m.Thread]})
		if v.NeedsReport {
			v = f.DecideReport(&facts, filter.Thread{Opened: opened[m.Thread]}, m.Report != nil && m.Report.Of != "")
		}
		if v.Opens && (opened[m.Thread].IsZero() || m.Received.Before(opened[m.Thread])) {
			opened[m.Thread] = m.Received
		}
		if hide := !v.Accept; hide != m.Hidden {
			all = append(all, MessageChange{ID: m.ID, Hidden: &hide})
		}
	}
	still := func() error {
		now, err := s.Store.Inbox(ctx, in.ID)
		if err == nil && now.Revisions[len(now.Revisions)-1].Version != last[0].Version {
			err = errNewerRules
		}
		return err
	}
	if len(all) == 0 {
		return nil
	}
	err = s.changeMail(ctx, in.ID, still, all)
	s.tellFollowers(ctx, in.ID) // of the steps that were stored, too
	return err
}

// slim keeps of a message what deciding it again needs, so that a big inbox fits in memory.
func slim(m Message) Message {
	return Message{ID: m.ID, Thread: m.Thread, Received: m.Received, From: m.From, Sender: m.Sender,
		ReplyTo: m.ReplyTo, To: m.To, Cc: m.Cc, Bcc: m.Bcc, Class: m.Class, Report: m.Report,
		Direction: m.Direction, Hidden: m.Hidden, Calendar: m.Calendar}
}

// commitChanges stores changes of messages, redoing them when a sync was faster. Each time it asks still
// whether they are to be made at all; whoever fences the inbox after a change that still sees is not
// overtaken.
func (s *Service) commitChanges(ctx context.Context, id ID, still func() error, changes []MessageChange, ev ...Event) error {
	return storage.Redo(func() error {
		state, err := s.Store.SyncState(ctx, id)
		if err == nil {
			err = still()
		}
		if err != nil {
			return err
		}
		state.Inbox = id
		_, err = s.Store.Commit(ctx, Import{State: state, Changed: changes}, ev...)
		return err
	})
}

// rulesBy returns the rules that come of somebody's edit: personal exclusions are the creator's own.
func rulesBy(user acl.UserID, in *Inbox, rules filter.Rules) filter.Rules {
	if user == in.Creator {
		return rules.Normalize()
	}
	old, _ := in.Rules()
	next := withoutPersonal(rules)
	next.Exclude = append(next.Exclude, personal(old)...)
	return next.Normalize()
}

// mayWiden checks the right to let more in than the rules in force do. The first rules let in nothing
// more than none.
func mayWiden(actor acl.Actor, in *Inbox, old, next filter.Rules) error {
	for _, d := range next.AllowPublic {
		if !slices.Contains(old.AllowPublic, d) && actor.User != in.Creator {
			return fmt.Errorf("mail of %q may be let in by the creator alone: %w", d, acl.ErrDenied)
		}
	}
	if len(in.Revisions) == 0 || !next.Widens(old) {
		return nil
	}
	return acl.Check(actor, in.ACL(), acl.Widen, &acl.Facts{}).Err()
}

func withoutPersonal(r filter.Rules) filter.Rules {
	r.Exclude = slices.DeleteFunc(slices.Clone(r.Exclude), func(e filter.Exclusion) bool { return e.Personal })
	return r
}

func personal(r filter.Rules) []filter.Exclusion {
	return slices.DeleteFunc(slices.Clone(r.Exclude), func(e filter.Exclusion) bool { return !e.Personal })
}

// snapshot is a compiled directory of one site, shared by its inboxes until something changes.
type snapshot struct {
	version storage.Version
	data    *filter.DirectoryData
	dir     *filter.Directory
	exclude []filter.Exclusion
	// Fingerprints of what is not the store's.
	settings, own string
	read          time.Time // when own was last seen to be so; Service.mu guards it
}

// recentPeople is how old a list of the team's own people may be where there is no mail to decide.
const recentPeople = time.Minute

// recentSnapshot returns the site's directory as it stands, but for the team's own people, of which it
// may not know the changes of the last recentPeople. To find nothing new in one inbox of thousands it
// need not read all of them.
func (s *Service) recentSnapshot(ctx context.Context, site SiteID) (*snapshot, error) {
	s.mu.Lock()
	have := s.snaps[site]
	recent := have != nil && s.now().Sub(have.read) < recentPeople
	s.mu.Unlock()
	if !recent {
		return s.snapshot(ctx, site)
	}
	settings, err := s.Sites.Site(ctx, site)
	if err != nil {
		return nil, err
	}
	_, version, err := s.Store.Snapshot(ctx, site, have.version)
	if err != nil {
		return nil, err
	}
	if version != have.version || fingerprint(settings) != have.settings {
		return s.snapshot(ctx, site)
	}
	return have, nil
}

func fingerprint(settings Settings) string {
	return fmt.Sprint(settings.InternalDomains, settings.Exclude)
}

// snapshot returns the site's directory as it stands now. Reading it again costs one look at a
// version where nothing has changed.
func (s *Service) snapshot(ctx context.Context, site SiteID) (*snapshot, error) {
	settings, err := s.Sites.Site(ctx, site)
	if err != nil {
		return nil, err
	}
	read := s.now()
	own, err := s.ownPeople(ctx, site)
	if err != nil {
		return nil, err
	}
	next := &snapshot{settings: fingerprint(settings), own: fmt.Sprint(own), read: read}

	s.mu.Lock()
	have := s.snaps[site]
	s.mu.Unlock()
	var after storage.Version
	if have != nil {
		after = have.version
	}
	data, version, err := s.Store.Snapshot(ctx, site, after)
	if err != nil {
		return nil, err
	}
	if have != nil && version == have.version && next.settings == have.settings && next.own == have.own {
		s.mu.Lock()
		have.read = read
		s.mu.Unlock()
		return have, nil
	}
	if data == nil {
		if data = new(filter.DirectoryData); have != nil {
			data = have.data
		}
	}
	next.version, next.data = version, data
	if next.exclude, err = siteExclusions(settings); err != nil {
		return nil, err
	}
	if next.dir, err = directory(*data, settings, own); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.snaps[site] = next
	s.mu.Unlock()
	return next, nil
}

// ownPeople returns the addresses that are the team's own: logins and connected mailboxes (11.4).
func (s *Service) ownPeople(ctx context.Context, site SiteID) ([]string, error) {
	var own []string
	for p, err := range s.People.People(ctx, site) {
		if err != nil {
			return nil, err
		}
		own = append(own, p.Addresses...)
	}
	for in, err := range s.Store.Inboxes(ctx, Query{Site: site}) {
		if err != nil {
			return nil, err
		}
		if in.Account.Address != "" && in.State != StateDeleted {
			own = append(own, in.Account.Own()...)
		}
	}
	slices.Sort(own)
	return slices.Compact(own), nil
}

func directory(data filter.DirectoryData, settings Settings, own []string) (*filter.Directory, error) {
	data.Internal, data.Logins = nil, nil
	for _, text := range settings.InternalDomains {
		d, err := filter.ParseDomain(text)
		if err != nil {
			return nil, fmt.Errorf("site %q, internal domains: %w", settings.ID, err)
		}
		data.Internal = append(data.Internal, d)
	}
	for _, addr := range own {
		if d, ok := filter.AddressDomain(addr); ok {
			data.Logins = append(data.Logins, d)
		}
	}
	data.InternalAddresses = own
	return filter.NewDirectory(data)
}

func siteExclusions(settings Settings) ([]filter.Exclusion, error) {
	var out []filter.Exclusion
	var bad []error
	for _, text := range settings.Exclude {
		e, err := filter.ParseExclusion(text)
		if err != nil {
			bad = append(bad, fmt.Errorf("site %q, exclusions: %w", settings.ID, err))
			continue
		}
		out = append(out, e)
	}
	return out, errors.Join(bad...)
}

// compile makes the filter of one inbox, with c's floor and, unless c has its own, the inbox's
// revisions; the site's exclusions are joined to every one (11.1).
func (s *Service) compile(in *Inbox, snap *snapshot, c filter.Config) (*filter.Filter, error) {
	if c.Revisions == nil {
		c.Revisions = in.Revisions
	}
	c.Revisions = slices.Clone(c.Revisions)
	for i := range c.Revisions {
		r := &c.Revisions[i].Rules
		r.Exclude = append(slices.Clone(r.Exclude), snap.exclude...)
	}
	c.Directory, c.Own, c.Baseline = snap.dir, in.Account.Own(), in.FinishedAt
	return filter.Compile(c)
}
