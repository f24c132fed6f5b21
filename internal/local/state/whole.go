package state

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
)

// Whole runs fn, in which all that is done with the store is one transaction, those
// of Tx included: it is kept if fn returns nil, else nothing of it, even if the process
// ends midway. Large files stay; nothing leads to them. Nobody else may use this
// store meanwhile, and fn must leave nothing behind that does.
func (s *Store) Whole(ctx context.Context, fn func() error) error {
	one := sql.OpenDB(&outer{driver: s.db.Load().Driver(), name: s.name})
	one.SetMaxOpenConns(1) // which is in the transaction from its first moment to its last
	if err := one.PingContext(ctx); err != nil {
		return errors.Join(fmt.Errorf("begin: %w", err), one.Close())
	}
	usual := s.db.Swap(one)
	err := fn()
	s.db.Store(usual)
	if err == nil {
		_, err = one.ExecContext(ctx, "COMMIT")
	}
	return errors.Join(err, one.Close()) // which takes back what was not committed
}

// outer makes the one connection of a Whole.
type outer struct {
	driver driver.Driver
	name   string
	made   bool
}

// Connect opens the connection and begins the transaction. It can do so once: were
// the connection lost, a second one would keep the rest without the beginning.
func (o *outer) Connect(ctx context.Context) (driver.Conn, error) {
	if o.made {
		return nil, errors.New("the connection was lost, and with it what was done so far")
	}
	o.made = true
	c, err := o.driver.Open(o.name)
	if err != nil {
		return nil, err
	}
	inside, ok := c.(engine)
	if !ok {
		return nil, errors.Join(fmt.Errorf("%T has not all that a connection needs", c), c.Close())
	}
	if _, err := inside.ExecContext(ctx, "BEGIN IMMEDIATE", nil); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return nested{inside}, nil
}

func (o *outer) Driver() driver.Driver { return o.driver }

// engine is what database/sql uses of a connection of the driver.
type engine interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// nested is a connection in a transaction, whose further ones are savepoints.
type nested struct{ engine }

// BeginTx sets a savepoint.
func (n nested) BeginTx(ctx context.Context, _ driver.TxOptions) (driver.Tx, error) {
	_, err := n.ExecContext(ctx, "SAVEPOINT inner", nil)
	return n, err
}

// Commit keeps what was done since the savepoint, for the outer transaction.
func (n nested) Commit() error { return n.run("RELEASE inner") }

// Rollback takes it back.
func (n nested) Rollback() error {
	return errors.Join(n.run("ROLLBACK TO inner"), n.run("RELEASE inner"))
}

func (n nested) run(query string) error {
	_, err := n.ExecContext(context.Background(), query, nil)
	return err
}
