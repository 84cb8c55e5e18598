package rfc822

import "slices"

// TreeNode is a message and the answers to it. Ref is its index, or -1 for a
// message that is missing; only a root is ever missing, and it then has two
// children or more.
type TreeNode struct {
	Ref      int
	Children []TreeNode
}

// Tree arranges messages by who answers whom, as the REFERENCES algorithm of
// RFC 5256 does in steps 1 to 4; its step 5, which joins threads by subject,
// is left out. before orders siblings and roots, usually by date; with nil, or
// where it prefers neither, the order of refs decides. The result depends on
// that order where references contradict one another. Of several messages with
// one id only the first is answered; the others are leaves.
func Tree(refs []Ref, before func(a, b int) bool) []TreeNode {
	t := threader{ids: make(map[string]int, len(refs))}
	own := make([]int, len(refs))
	for i, r := range refs {
		own[i] = t.own(i, r.ID)
	}
	var chain []string
	for i, r := range refs {
		chain = r.chain(chain)
		last := -1
		for _, id := range chain {
			n := t.node(id)
			if last >= 0 && t.at[n].parent < 0 {
				t.link(last, n)
			}
			last = n
		}
		// The message itself knows its parent best.
		if t.at[own[i]].parent != last {
			t.at[own[i]].parent = -1
			if last >= 0 {
				t.link(last, own[i])
			}
		}
	}
	return t.trees(before)
}

// container is a message or a place kept for one.
type container struct {
	ref, parent int
	children    []int
}

type threader struct {
	ids map[string]int
	at  []container
	// Containers with different roots here were never linked, so linking them
	// closes no circle. That saves most walks up to the root.
	linked forest
}

func (t *threader) add(ref int) int {
	t.at = append(t.at, container{ref: ref, parent: -1})
	return t.linked.add()
}

func (t *threader) node(id string) int {
	n, known := t.ids[id]
	if !known {
		n = t.add(-1)
		t.ids[id] = n
	}
	return n
}

// own makes the container of message ref. The second message with an id gets
// one nobody can refer to.
func (t *threader) own(ref int, id string) int {
	if _, taken := t.ids[id]; taken || id == "" {
		return t.add(ref)
	}
	n := t.node(id)
	t.at[n].ref = ref
	return n
}

// link makes n a child of parent unless that closes a circle.
func (t *threader) link(parent, n int) {
	if t.linked.find(parent) == t.linked.find(n) {
		for up := parent; up >= 0; up = t.at[up].parent {
			if up == n {
				return
			}
		}
	}
	t.at[n].parent = parent
	t.linked.join(parent, n)
}

// trees builds the result from below, leaving out what is missing.
func (t *threader) trees(before func(a, b int) bool) []TreeNode {
	var roots []int
	for n, c := range t.at {
		if c.parent < 0 {
			roots = append(roots, n)
		} else {
			t.at[c.parent].children = append(t.at[c.parent].children, n)
		}
	}
	order := slices.Clone(roots)
	for i := 0; i < len(order); i++ {
		order = append(order, t.at[order[i]].children...)
	}
	built := make([][]TreeNode, len(t.at))
	for _, n := range slices.Backward(order) {
		var nodes []TreeNode
		for _, child := range t.at[n].children {
			nodes = append(nodes, built[child]...)
			built[child] = nil
		}
		sortNodes(nodes, before)
		if ref := t.at[n].ref; ref >= 0 {
			nodes = []TreeNode{{Ref: ref, Children: nodes}}
		} else if t.at[n].parent < 0 && len(nodes) > 1 {
			nodes = []TreeNode{{Ref: -1, Children: nodes}}
		}
		built[n] = nodes
	}
	var result []TreeNode
	for _, n := range roots {
		result = append(result, built[n]...)
	}
	sortNodes(result, before)
	return result
}

// sortNodes orders siblings. A missing root counts as its first child.
func sortNodes(nodes []TreeNode, before func(a, b int) bool) {
	slices.SortStableFunc(nodes, func(a, b TreeNode) int {
		x, y := a.first(), b.first()
		switch {
		case before != nil && before(x, y):
			return -1
		case before != nil && before(y, x):
			return 1
		}
		return x - y
	})
}

func (n TreeNode) first() int {
	if n.Ref < 0 {
		return n.Children[0].Ref
	}
	return n.Ref
}
