package main

import (
	"fmt"
	"slices"
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
	cfg := s.guardConfig()
	cfg.Journal = journal
	return guard.New(a.watch.Caller(client), cfg), journal, nil
}

// guardConfig is how the flags want the guardrails, without a journal.
func (s *settings) guardConfig() guard.Config {
	return guard.Config{
		Off: s.guardrails == "off", LocalOrigins: s.local, Region: s.region, Policy: s.policy, Now: time.Now, Logger: s.logger,
	}
}

// readPolicy reads the configuration file, if one is given.
func (s *settings) readPolicy() error {
	if s.config == "" {
		return nil
	}
	var names []string
	for _, t := range tools.All() {
		names = append(names, t.Meta().Name)
	}
	policy, err := guard.LoadPolicy(s.config, names)
	if err != nil {
		return fmt.Errorf("--config: %w", err)
	}
	s.policy = policy
	return nil
}

// offered leaves out the tools that the policy denies.
func (s *settings) offered(list []tools.Tool) ([]tools.Tool, error) {
	list = slices.DeleteFunc(slices.Clone(list), func(t tools.Tool) bool { return !s.policy.Offers(t.Meta().Name) })
	if len(list) == 0 {
		return nil, fmt.Errorf("--config %s denies every tool that --toolsets offers", s.config)
	}
	return list, nil
}
