import { describe, expect, it } from 'vitest';
import { distance, explainUnknown } from '../../src/cli/suggest.ts';
import { ddia, type ErrorAnswer, json } from './run.ts';

describe('distance', () => {
  it.each([
    ['', '', 0],
    ['verify', 'verify', 0],
    ['vrify', 'verify', 1],
    ['evrify', 'verify', 1],
    ['verfiy', 'verify', 1],
    ['dump', 'pump', 1],
    ['', 'abc', 3],
    ['kitten', 'sitting', 3],
  ])('%s and %s: %i', (a, b, expected) => expect(distance(a, b)).toBe(expected));
});

describe('explainUnknown', () => {
  const ids = ['dump', 'verify', 'wal:dump', 'wal:verify', 'plugins:link'];
  it.each([
    [['wal', 'vrify', 'some/path'], 'wal vrify', 'wal verify'],
    [['vrify', 'some/path'], 'vrify', 'verify'],
    [['wla', 'dump'], 'wla dump', 'wal dump'],
    [['wal', 'frobnicate', 'x'], 'wal frobnicate', undefined],
    [['xyzzy'], 'xyzzy', undefined],
    [['x'.repeat(100_000), 'dump'], 'x'.repeat(100_000), undefined],
  ])('%j', (words, given, meant) => {
    expect(explainUnknown(words as string[], ids)).toEqual({ given, meant });
  });
});

describe('an unknown command', () => {
  it('is answered with the nearest one', () => {
    expect(ddia(['wal', 'vrify', 'fixtures/wal/v1/clean'])).toEqual({
      status: 2,
      stdout: '',
      stderr: 'error: wal vrify is not a command\n  did you mean: ddia wal verify\n',
    });
  });

  it('is an error in JSON with --json', () => {
    const ran = ddia(['xyzzy', '--json']);
    expect(ran).toMatchObject({ status: 2, stderr: '' });
    expect(json<ErrorAnswer>(ran).error).toEqual({
      code: 'unknown-command',
      message: 'xyzzy is not a command',
      hint: 'see ddia --help',
    });
  });

  it('is none when a command that takes no arguments is given some', () => {
    expect(ddia(['bloom', 'compare', 'a', 'b'])).toEqual({
      status: 2,
      stdout: '',
      stderr: 'error: bloom compare takes no arguments\n  see ddia bloom compare --help\n',
    });
  });

  it('is none when it is a topic: that shows its help', () => {
    const ran = ddia(['wal']);
    expect(ran).toMatchObject({ status: 0, stderr: '' });
    expect(ran.stdout).toContain('$ ddia wal COMMAND');
    expect(ran.stdout).toContain('wal verify');
  });

  it('is none when it is help', () => {
    const ran = ddia(['help', 'identify']);
    expect(ran).toMatchObject({ status: 0, stderr: '' });
    expect(ran.stdout).toContain('$ ddia identify PATH');
  });
});
