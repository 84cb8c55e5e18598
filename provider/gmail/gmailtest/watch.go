package gmailtest

import (
	"encoding/json"
	"regexp"
	"strconv"
	"time"
)

// watch is what an account's watch asks for, under the server's lock.
type watch struct {
	topic   string
	labels  []string // none: all
	exclude bool     // the labels are those that do not ring
	expires time.Time
}

// watchLife is how long a watch lives.
//
// Source: https://developers.google.com/workspace/gmail/api/guides/push
const watchLife = 7 * 24 * time.Hour

type watchRequest struct {
	TopicName           string   `json:"topicName"`
	LabelIDs            []string `json:"labelIds"`
	LabelFilterBehavior string   `json:"labelFilterBehavior"`
	LabelFilterAction   string   `json:"labelFilterAction"`
}

type watchJSON struct {
	HistoryID  string `json:"historyId"`
	Expiration string `json:"expiration"`
}

var topicName = regexp.MustCompile(`^projects/[^/]+/topics/[^/]+$`)

func startWatch(c *call) (any, *apiError) {
	b, refusal := c.body(c.s.c.MaxJSON)
	if refusal != nil {
		return nil, refusal
	}
	var req watchRequest
	if err := json.Unmarshal(b, &req); err != nil {
		return nil, invalid("Invalid JSON payload received.")
	}
	if !topicName.MatchString(req.TopicName) {
		return nil, invalid("Invalid topicName does not match projects/*/topics/*")
	}
	behavior := req.LabelFilterBehavior
	if behavior == "" {
		behavior = req.LabelFilterAction // its old name
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	for _, l := range req.LabelIDs {
		if c.a.labels[l] == nil {
			return nil, invalid("Invalid label: " + l)
		}
	}
	c.a.watch = &watch{
		topic: req.TopicName, labels: req.LabelIDs,
		exclude: behavior == "exclude" || behavior == "EXCLUDE",
		expires: c.s.now().Add(watchLife),
	}
	c.touch(c.a) // a first notification follows at once
	return watchJSON{
		HistoryID:  formatID(c.a.historyID),
		Expiration: strconv.FormatInt(c.a.watch.expires.UnixMilli(), 10),
	}, nil
}

func stopWatch(c *call) (any, *apiError) {
	c.a.watch = nil
	return noContent{}, nil
}
