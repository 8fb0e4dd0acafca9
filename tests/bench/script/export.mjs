// export.mjs: an export as somebody would write it in an afternoon: a cursor over the store, JSON.parse,
// a merge, hyparquet-writer, one file. What the engine's speed is compared with.
//
// The same rows, the same order, the same merge rules (timestampOrdered, identityGraph none) and the same
// column types as the product writes for the records of bench_seed, whose shape stands below; an inference
// of the schema is spared the script. Called by tests/bench/engine.py:
//
//   node export.mjs SOCKET-DIRECTORY ORG SANDBOX OUTPUT-FILE
import pg from 'pg'
import Cursor from 'pg-cursor'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import { openSync, writeSync, closeSync } from 'node:fs'

const READ_ROWS = 1000
const GROUP_ROWS = 20000

const string = { type: 'BYTE_ARRAY', converted_type: 'UTF8' }
const integer = { type: 'INT64', from: BigInt }
const number = { type: 'DOUBLE' }
const flag = { type: 'BOOLEAN' }
const time = { type: 'INT64', converted_type: 'TIMESTAMP_MILLIS', from: (text) => BigInt(Date.parse(text)) }
const list = (element) => ({ list: element })
const map = (value) => ({ map: value })

const SHAPE = {
  identityMap: map(list({ id: string, primary: flag, authenticatedState: string })),
  person: {
    name: { firstName: string, lastName: string, courtesyTitle: string },
    birthDate: string,
    gender: string,
  },
  personalEmail: { address: string, primary: flag, status: string },
  homeAddress: {
    street1: string,
    city: string,
    postalCode: string,
    country: string,
    _schema: { latitude: number, longitude: number },
  },
  timeZone: string,
  _tenant: {
    loyalty: { tier: string, points: integer, balance: number, active: flag, since: time },
    interests: list(string),
    orders: list({ sku: string, quantity: integer, price: number, at: time }),
    note: string,
    churned: flag,
    web: { visits: integer, score: number, optIn: flag, lastVisit: time, device: string },
    stores: list({ id: integer, visits: integer, last: time }),
  },
  segmentMembership: map(map({ lastQualificationTime: time, status: string })),
}

// The schema elements of one node of the shape, parents first.
function elements(name, node, repetition_type = 'OPTIONAL') {
  if (node.type) {
    const { from, ...element } = node
    return [{ name, repetition_type, ...element }]
  }
  if (node.list) {
    return [
      { name, repetition_type, num_children: 1, converted_type: 'LIST' },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      ...elements('element', node.list),
    ]
  }
  if (node.map) {
    return [
      { name, repetition_type, num_children: 1, converted_type: 'MAP' },
      { name: 'key_value', repetition_type: 'REPEATED', num_children: 2 },
      ...elements('key', string, 'REQUIRED'),
      ...elements('value', node.map),
    ]
  }
  const members = Object.entries(node)
  return [
    { name, repetition_type, num_children: members.length },
    ...members.flatMap(([member, child]) => elements(member, child)),
  ]
}

// A value as the writer wants it for a node of the shape.
function convert(node, value) {
  if (value === undefined || value === null) return undefined
  if (node.type) return node.from ? node.from(value) : value
  if (node.list) return value.map((element) => convert(node.list, element))
  const out = {}
  if (node.map) {
    for (const key in value) out[key] = convert(node.map, value[key])
  } else {
    for (const key in node) {
      if (value[key] !== undefined) out[key] = convert(node[key], value[key])
    }
  }
  return out
}

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value)

// Members of the stronger win; objects go member by member, all else is replaced.
function merge(weaker, stronger) {
  for (const key in stronger) {
    const value = stronger[key]
    weaker[key] = isObject(value) && isObject(weaker[key]) ? merge(weaker[key], value) : value
  }
  return weaker
}

// identityMap is united: entries of one id merge.
function unite(weaker, stronger) {
  const out = { ...weaker }
  for (const namespace in stronger) {
    const entries = new Map((out[namespace] ?? []).map((entry) => [entry.id, entry]))
    for (const entry of stronger[namespace]) {
      entries.set(entry.id, { ...entries.get(entry.id), ...entry })
    }
    out[namespace] = [...entries.values()]
  }
  return out
}

function mergeFragments(profile, fragment) {
  const identityMap = unite(profile.identityMap, fragment.identityMap)
  merge(profile, fragment)
  profile.identityMap = identityMap
  return profile
}

// A writer that keeps one row group in memory.
function fileWriter(path) {
  const file = openSync(path, 'w')
  const writer = new ByteWriter()
  writer.flush = () => {
    writeSync(file, new Uint8Array(writer.buffer, 0, writer.index))
    writer.index = 0
  }
  writer.finish = () => {
    writer.flush()
    closeSync(file)
  }
  return writer
}

class Output {
  constructor(path) {
    this.writer = new ParquetWriter({ writer: fileWriter(path), schema: elements('root', SHAPE, undefined) })
    this.rows = 0
    this.reset()
  }

  reset() {
    this.columns = Object.keys(SHAPE).map((name) => ({ name, data: [] }))
  }

  add(profile) {
    for (const { name, data } of this.columns) data.push(convert(SHAPE[name], profile[name]))
    this.rows++
    if (this.columns[0].data.length >= GROUP_ROWS) this.write()
  }

  write() {
    if (this.columns[0].data.length > 0) this.writer.write({ columnData: this.columns, rowGroupSize: GROUP_ROWS })
    this.reset()
  }

  finish() {
    this.write()
    this.writer.finish()
  }
}

async function main([host, org, sandbox, path]) {
  const client = new pg.Client({ host, user: 'consign_spooler', database: 'consign' })
  await client.connect()
  await client.query(`BEGIN; SET LOCAL consign.org = ${Number(org)}; SET LOCAL enable_sort = off;
    SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL jit = off`)
  const cursor = client.query(new Cursor(`SELECT identity, body FROM consign.profile_fragment
    WHERE org = $1 AND sandbox = $2 ORDER BY person, identity, ingested_ms, dataset`, [org, sandbox]))
  const output = new Output(path)
  let identity, profile
  for (let rows; (rows = await cursor.read(READ_ROWS)).length > 0;) {
    for (const row of rows) {
      const fragment = JSON.parse(row.body)
      if (row.identity === identity) {
        mergeFragments(profile, fragment)
      } else {
        if (profile) output.add(profile)
        profile = fragment
        identity = row.identity
      }
    }
  }
  if (profile) output.add(profile)
  output.finish()
  await client.end()
  console.log(`rows=${output.rows}`)
}

await main(process.argv.slice(2))
