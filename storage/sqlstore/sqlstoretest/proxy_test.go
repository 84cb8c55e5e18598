package sqlstoretest_test

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"github.com/workinbox/workinbox/storage/sqlstore"
	"github.com/workinbox/workinbox/storage/sqlstore/sqlstoretest"
)

// verdict says what a proxy does with what a client sends.
type verdict int

const (
	pass      verdict = iota
	cutBefore         // the server never sees it
	cutAfter          // the server sees it, and the client no answer
)

// proxy stands between stores and their server.
type proxy struct {
	server string
	listen net.Listener

	judging sync.Mutex
	judge   func(sent []byte, port int) verdict

	mu    sync.Mutex
	conns map[net.Conn]bool
	down  bool
	done  sync.WaitGroup
}

// newProxy returns a proxy to the server of a database, and the data source that leads through it.
func newProxy(t *testing.T, d *sqlstoretest.Database) (*proxy, string) {
	t.Helper()
	p := &proxy{conns: map[net.Conn]bool{}}
	var err error
	p.listen, err = new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	dsn := ""
	switch d.Options.Dialect {
	case sqlstore.Postgres:
		u, err := url.Parse(d.DSN)
		require.NoError(t, err)
		p.server, u.Host = u.Host, p.listen.Addr().String()
		q := u.Query()
		q.Set("sslmode", "disable") // the proxy reads along
		u.RawQuery = q.Encode()
		dsn = u.String()
	case sqlstore.MySQL:
		c, err := mysql.ParseDSN(d.DSN)
		require.NoError(t, err)
		p.server, c.Addr, c.TLSConfig = c.Addr, p.listen.Addr().String(), "false"
		dsn = c.FormatDSN()
	}
	p.done.Go(p.serve)
	t.Cleanup(func() {
		_ = p.listen.Close()
		p.stop()
		p.done.Wait()
	})
	return p, dsn
}

func (p *proxy) serve() {
	for {
		client, err := p.listen.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.server)
		if err != nil {
			_ = client.Close()
			continue
		}
		if !p.open(client, server) {
			_, _ = client.Close(), server.Close()
			continue
		}
		var silent sync.Once
		answers := make(chan struct{})
		muted := make(chan struct{})
		mute := func() { silent.Do(func() { close(muted) }) }
		p.done.Go(func() { p.requests(client, server, mute, answers) })
		p.done.Go(func() { p.answers(client, server, muted, answers) })
	}
}

func (p *proxy) requests(client, server net.Conn, mute func(), answers <-chan struct{}) {
	defer p.close(client, server)
	port := server.LocalAddr().(*net.TCPAddr).Port
	buf := make([]byte, 1<<20)
	for {
		n, err := client.Read(buf)
		if err != nil {
			return
		}
		v := p.ask(buf[:n], port)
		if v == cutBefore {
			return
		}
		if v == cutAfter {
			mute()
		}
		if _, err := server.Write(buf[:n]); err != nil {
			return
		}
		if v == cutAfter {
			<-answers // the server has answered, or is gone
			return
		}
	}
}

// judgeBy sets what is asked before something a client sent goes on. port is that of the connection at
// the server. It is asked by one at a time, and not any more when judgeBy is called again.
func (p *proxy) judgeBy(judge func(sent []byte, port int) verdict) {
	p.judging.Lock()
	defer p.judging.Unlock()
	p.judge = judge
}

func (p *proxy) ask(sent []byte, port int) verdict {
	p.judging.Lock()
	defer p.judging.Unlock()
	if p.judge == nil {
		return pass
	}
	return p.judge(sent, port)
}

func (p *proxy) answers(client, server net.Conn, muted <-chan struct{}, answers chan<- struct{}) {
	defer p.close(client, server)
	defer close(answers)
	buf := make([]byte, 1<<16)
	for {
		n, err := server.Read(buf)
		select {
		case <-muted:
			return
		default:
		}
		if n > 0 {
			if _, err := client.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// open says whether a connection may be there, which stop cuts otherwise.
func (p *proxy) open(client, server net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.down {
		p.conns[client], p.conns[server] = true, true
	}
	return !p.down
}

func (p *proxy) close(conns ...io.Closer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		_ = c.Close()
		delete(p.conns, c.(net.Conn))
	}
}

// stop cuts every connection and takes no new one, as a server that stops.
func (p *proxy) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = true
	for c := range p.conns {
		_ = c.Close()
	}
}

// refuse takes no new connection, and leaves those that are there.
func (p *proxy) refuse() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = true
}

func (p *proxy) start() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = false
}

// isCommit says whether a client asks for the end of its transaction.
func isCommit(sent []byte) bool {
	text := strings.ToLower(string(sent))
	return len(text) < 32 && strings.Contains(text, "commit")
}

// kill ends the session of a connection at the server, by its port there.
func kill(d *sqlstoretest.Database, port int) error {
	ctx := context.Background()
	if d.Options.Dialect == sqlstore.Postgres {
		var gone bool
		err := d.DB.QueryRowContext(ctx,
			"SELECT COALESCE(bool_and(pg_terminate_backend(pid, 600000)), true) FROM pg_stat_activity WHERE client_port = $1", port).Scan(&gone)
		if err == nil && !gone {
			err = errors.New("the session goes on")
		}
		return err
	}
	var id int64
	err := d.DB.QueryRowContext(ctx, "SELECT id FROM information_schema.processlist WHERE host LIKE CONCAT('%:', ?)",
		port).Scan(&id)
	if err == sql.ErrNoRows { //nolint:errorlint // database/sql returns it as it is
		return nil
	}
	if err == nil {
		_, err = d.DB.ExecContext(ctx, "KILL CONNECTION ?", id)
	}
	return err
}
