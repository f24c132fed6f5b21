package main

import (
	"time"

	"github.com/esa-mcp/esa-mcp/internal/esa"
	"github.com/esa-mcp/esa-mcp/internal/guard"
	"github.com/esa-mcp/esa-mcp/tools"
)

// guard puts the guardrails in front of the client, and opens the audit log.
func (a *app) guard(s *settings, client esa.Caller) (*guard.Guard, *guard.Journal, error) {
	journal, err := guard.OpenJournal(s.auditLog, time.Now, tools.Redact)
	if err != nil {
		return nil, nil, err
	}
	a.mu.Lock()
	a.journal = journal
	a.mu.Unlock()
	return guard.New(a.watch.Caller(client), guard.Config{
		Off: s.guardrails == "off", LocalOrigins: s.local, Journal: journal, Now: time.Now, Logger: s.logger,
	}), journal, nil
}
