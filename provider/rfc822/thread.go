package rfc822

import "slices"

// Ref is what threading needs of a message. Ids come without angles, as
// ScanIDs gives them; "" and repeated ids are ignored.
type Ref struct {
	ID         string
	InReplyTo  []string
	References []string
}

// chain lists the ids the message stands on, oldest first: its References, and
// the first id of In-Reply-To where they leave it out.
func (r Ref) chain(buf []string) []string {
	buf = append(buf[:0], r.References...)
	for _, id := range r.InReplyTo {
		if id == "" {
			continue
		}
		if !slices.Contains(r.References, id) {
			buf = append(buf, id)
		}
		break
	}
	return slices.DeleteFunc(buf, func(id string) bool { return id == "" })
}

// Threads groups messages into conversations by their ids alone, never by
// subject. root has one entry for each message: the index of the first message
// of its thread. Messages with one id share a thread, and so do messages that
// refer to one id nobody has. The grouping does not depend on the order of
// refs; cycles and messages that refer to themselves do no harm. Tree never
// puts into one tree what Threads keeps apart; where references contradict one
// another it may cut a thread into several trees. Time is close to linear in
// the number of ids.
func Threads(refs []Ref) (root []int) {
	f := forest{}
	ids := make(map[string]int, len(refs))
	node := func(id string) int {
		n, known := ids[id]
		if !known {
			n = f.add()
			ids[id] = n
		}
		return n
	}
	root = make([]int, len(refs))
	var chain []string
	for i, r := range refs {
		if r.ID != "" {
			root[i] = node(r.ID)
		} else {
			root[i] = f.add()
		}
		chain = r.chain(chain)
		for _, id := range chain {
			f.join(root[i], node(id))
		}
	}
	first := make(map[int]int, len(refs))
	for i, n := range root {
		n = f.find(n)
		if _, seen := first[n]; !seen {
			first[n] = i
		}
		root[i] = first[n]
	}
	return root
}

// forest is a union-find: nodes that were joined have one root.
type forest struct {
	parent []int
	size   []int
}

func (f *forest) add() int {
	f.parent = append(f.parent, len(f.parent))
	f.size = append(f.size, 1)
	return len(f.parent) - 1
}

func (f *forest) find(n int) int {
	for f.parent[n] != n {
		f.parent[n] = f.parent[f.parent[n]]
		n = f.parent[n]
	}
	return n
}

func (f *forest) join(a, b int) {
	a, b = f.find(a), f.find(b)
	if a == b {
		return
	}
	if f.size[a] < f.size[b] {
		a, b = b, a
	}
	f.parent[b] = a
	f.size[a] += f.size[b]
}
