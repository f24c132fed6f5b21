package plan

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// read takes what is said of the steering: by the parameters of the load balancer,
// or by the overrides of a rule, whose names are written like steering_policy. What
// is not said stays.
func (s *Steering) read(fields map[string]any) {
	for name, value := range fields {
		switch plainName(name) {
		case "steeringpolicy":
			s.Policy = text(value)
		case "sessionaffinity":
			s.Affinity = text(value)
		case "defaultpools":
			s.Default = ids(value)
		case "fallbackpool":
			s.Fallback = id(value)
		case "regionpools":
			s.Regions = idsBy(value)
		case "subregionpools":
			s.SubRegions = idsBy(value)
		case "randomsteering":
			s.readRandom(value)
		case "adaptiverouting":
			for name, value := range members(value) {
				if plainName(name) == "failoveracrosspools" {
					s.AcrossPools = text(value) == "true"
				}
			}
		}
	}
}

// pools are the ids of all pools that it names.
func (s Steering) pools() []int64 {
	all := append(slices.Clone(s.Default), s.Fallback)
	for _, by := range []map[string][]int64{s.Regions, s.SubRegions} {
		for _, list := range by {
			all = append(all, list...)
		}
	}
	return all
}

func (s *Steering) readRandom(value any) {
	s.Weights, s.DefaultWeight = map[int64]int{}, 0
	for name, value := range members(value) {
		switch plainName(name) {
		case "defaultweight":
			s.DefaultWeight = int(id(value))
		case "poolweights":
			for pool, weight := range members(value) {
				s.Weights[id(pool)] = int(id(weight))
			}
		}
	}
}

// plainName is a parameter's name without what tells SteeringPolicy and
// steering_policy apart.
func plainName(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }

func text(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// id is a number that is written as a number or as a text; 0 if it is none.
func id(value any) int64 {
	switch v := value.(type) {
	case json.Number:
		return whole(v)
	case string:
		n, _ := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
		return n
	}
	return 0
}

func ids(value any) []int64 {
	all, _ := value.([]any)
	list := make([]int64, 0, len(all))
	for _, v := range all {
		list = append(list, id(v))
	}
	return list
}

// idsBy reads lists of pools by places; a name may stand for several: "AL,MO".
func idsBy(value any) map[string][]int64 {
	by := map[string][]int64{}
	for names, list := range members(value) {
		for name := range strings.SplitSeq(names, ",") {
			by[strings.ToUpper(strings.TrimSpace(name))] = ids(list)
		}
	}
	return by
}

// members are those of an object, which may be written as a text.
func members(value any) map[string]any {
	if s, ok := value.(string); ok {
		var m map[string]any
		if decodeExact(s, &m) != nil {
			return nil
		}
		return m
	}
	m, _ := value.(map[string]any)
	return m
}
