package filter_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/filter"
)

var worldOwn = []string{"owner@us.example", "alias@us.example"}

// config draws the rest of a filter around a directory, and the reference that matches it.
func (w world) config() (filter.Config, reference) {
	ref := reference{data: w.directory(), own: worldOwn, backfill: w.chance(15)}
	if w.chance(30) {
		ref.floor = w.moment()
	}
	if w.chance(30) {
		ref.baseline = w.moment()
	}
	at := time.Time{}
	for i := range 1 + w.draw.IntN(3) {
		if i > 0 {
			at = at.Add(24 * time.Hour)
			if next := w.moment(); next.After(at) {
				at = next
			}
		}
		ref.revs = append(ref.revs, filter.Revision{Version: uint64(10 + i), At: at, Rules: w.rules()})
	}
	revs := slices.Clone(ref.revs)
	w.draw.Shuffle(len(revs), func(i, j int) { revs[i], revs[j] = revs[j], revs[i] })
	return filter.Config{
		Revisions: revs, Directory: directory(w.t, ref.data), Own: ref.own, Floor: ref.floor,
		Baseline: ref.baseline, Backfill: ref.backfill,
	}, ref
}

func TestDecidesAsTheRulesAreWritten(t *testing.T) {
	t.Parallel()
	reasons := map[filter.Reason]int{}
	for seed := range uint64(200) {
		w := newWorld(t, seed)
		config, ref := w.config()
		f := compileConfig(t, config)
		for range 50 {
			m, thread := w.facts(), w.thread()
			v := f.Decide(&m, thread)
			require.Equal(t, ref.decide(m, thread, nil), outcomeOf(v),
				"seed %d\nmessage %+v\nthread %v\nrevisions %+v\ndirectory %+v",
				seed, m, thread, ref.revs, ref.data)
			require.Equal(t, ref.revs[len(ref.revs)-1].Version, v.Version, "the newest version decides")
			reasons[v.Reason]++
			for _, found := range []bool{true, false} {
				require.Equal(t, ref.decide(m, thread, &found), outcomeOf(f.DecideReport(&m, thread, found)),
					"seed %d, report found %v\nmessage %+v\nrevisions %+v", seed, found, m, ref.revs)
			}
		}
	}
	require.Len(t, reasons, 13, "the worlds reach every reason: %v", reasons)
	for reason, n := range reasons {
		require.Greater(t, n, 10, "the worlds reach %q", reason)
	}
}

// R-CHG-06, row 23: a change that does not widen lets nothing in that was out.
func TestChangeThatDoesNotWidenLetsNothingMoreIn(t *testing.T) {
	t.Parallel()
	narrow := 0
	for seed := range uint64(2000) {
		w := newWorld(t, seed)
		data := w.directory()
		from := w.rules()
		to := from
		for range 1 + w.draw.IntN(2) {
			to = w.edit(to)
		}
		if to.Widens(from) {
			continue
		}
		narrow++
		before, after := compile(t, data, from, worldOwn...), compile(t, data, to, worldOwn...)
		for range 30 {
			m, thread := w.facts(), w.thread()
			was, is := before.DecideReport(&m, thread, true), after.DecideReport(&m, thread, true)
			require.False(t, is.Accept && !was.Accept,
				"seed %d: %+v\nfrom %+v\nto %+v\nwas %v, is %v", seed, m, from, to, was.Reason, is.Reason)
			require.False(t, is.Accept && was.Private && !is.Private, "seed %d: no longer private", seed)
		}
	}
	require.Greater(t, narrow, 250, "enough of the changes were narrowing")
}

// edit takes one setting from another draw.
func (w world) edit(r filter.Rules) filter.Rules {
	other := w.rules()
	switch w.draw.IntN(11) {
	case 0:
		r.Mode = other.Mode
	case 1:
		r.Exclude = other.Exclude
	case 2:
		r.Exclude = append(slices.Clone(r.Exclude), other.Exclude...)
	case 3:
		r.ExactExclude = other.ExactExclude
	case 4:
		r.Scope = other.Scope
	case 5:
		r.InternalGuard = other.InternalGuard
	case 6:
		r.Automated = other.Automated
	case 7:
		r.Classes = other.Classes
	case 8:
		r.PreferReplyTo = other.PreferReplyTo
	case 9:
		r.OutboundOpensTicket, r.GroupsCount = other.OutboundOpensTicket, other.GroupsCount
	case 10:
		r.AllowPublic = other.AllowPublic
	}
	return r
}

// R-FLT-10: a walk that was narrowed to what Interest lists misses nothing but what it says it misses.
func TestInterestMissesNothingThatIsAccepted(t *testing.T) {
	t.Parallel()
	accepted, outside := 0, 0
	for seed := range uint64(400) {
		w := newWorld(t, seed)
		config, _ := w.config()
		f := compileConfig(t, config)
		listed, narrow := f.Interest()
		if !narrow {
			require.Nil(t, listed)
			continue
		}
		require.True(t, slices.IsSorted(listed), "sorted: %q", listed)
		for i, one := range listed {
			others := slices.Delete(slices.Clone(listed), i, i+1)
			require.False(t, covered(others, one), "%q is contained in another of %q", one, listed)
		}
		for range 100 {
			m, thread := w.facts(), w.thread()
			v := f.DecideReport(&m, thread, true)
			on := onInterest(listed, m)
			if !on {
				outside++
			}
			if v.Accept && v.Reason != filter.Report && m.Class != filter.AutoReply {
				accepted++
				require.True(t, on, "seed %d: accepted as %s: %+v\nlisted %q", seed, v.Reason, m, listed)
			}
		}
	}
	require.Greater(t, accepted, 1000)
	require.Greater(t, outside, 1000, "the list leaves something out")
}

// onInterest says whether a search for the list would find the message.
func onInterest(listed []string, m filter.Facts) bool {
	return slices.ContainsFunc(slices.Concat(m.From, []string{m.Sender}, m.To, m.Cc), func(s string) bool {
		return covered(listed, filter.AddressKey(s))
	})
}

// covered says whether an address, a domain or a wildcard lies within an entry of the list.
func covered(listed []string, one string) bool {
	return slices.ContainsFunc(listed, func(entry string) bool {
		if entry == one {
			return true
		}
		e, err := filter.ParseExclusion(entry)
		if err != nil || e.Address != "" {
			return false
		}
		if d, ok := filter.AddressDomain(one); ok {
			return e.Pattern.Matches(d)
		}
		var p filter.Pattern
		if p.UnmarshalText([]byte(one)) != nil {
			return false
		}
		wild := e.Pattern != exclusionPattern(e.Pattern.Base())
		return wild && e.Pattern.Matches(p.Base()) // a domain or a wildcard, within a listed wildcard
	})
}

func exclusionPattern(d filter.Domain) (p filter.Pattern) {
	if err := p.UnmarshalText([]byte(d.String())); err != nil {
		panic(err)
	}
	return p
}

// Stored and read again, rules decide alike.
func TestNormalizedRulesDecideAlike(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		w := newWorld(t, seed)
		data, rules := w.directory(), w.rules()
		plain := compile(t, data, rules, worldOwn...)
		normal := compile(t, data, stored(t, rules.Normalize()), worldOwn...)
		for range 20 {
			m, thread := w.facts(), w.thread()
			require.Equal(t, plain.Decide(&m, thread), normal.Decide(&m, thread), "seed %d: %+v", seed, rules)
		}
	}
}
