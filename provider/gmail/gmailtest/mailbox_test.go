package gmailtest_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/api/gmail/v1"

	"github.com/workinbox/workinbox/provider/gmail/gmailtest"
)

func TestListPagesNewestFirstAndStayPutWhenMailArrives(t *testing.T) {
	t.Parallel()
	s, a := open(t, gmailtest.Config{})
	began := time.Now().Add(-time.Hour)
	var want []string
	for n := range 7 {
		id := a.Deliver(hello(n), gmailtest.Delivery{Received: began.Add(time.Duration(n) * time.Minute)})
		want = append([]string{id}, want...)
	}
	users := service(t, s, a, scopeReadonly)
	var got []string
	pages := 0
	err := users.Messages.List("me").MaxResults(3).Pages(t.Context(), func(r *gmail.ListMessagesResponse) error {
		for _, m := range r.Messages {
			got = append(got, m.Id)
		}
		pages++
		a.Deliver(hello(100+pages), gmailtest.Delivery{})
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.Equal(t, 3, pages)
}

func TestWholeExchangeRunsInVirtualTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, a := open(t, gmailtest.Config{Pipe: true})
		users := service(t, s, a, scopeReadonly)
		id := a.Deliver(hello(1), gmailtest.Delivery{})
		m, err := users.Messages.Get("me", id).Format("raw").Context(t.Context()).Do()
		require.NoError(t, err)
		require.Equal(t, hello(1), unraw(t, m.Raw))
		require.Equal(t, time.Now().UnixMilli(), m.InternalDate)
		time.Sleep(time.Hour)
		_, err = users.GetProfile("me").Context(context.Background()).Do()
		requireStatus(t, err, 401, "authError")
	})
}
