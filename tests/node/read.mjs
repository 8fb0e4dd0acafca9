// read: Parquet files as one canonical JSON line a row, by one of three independent readers.
//
//   node read.mjs READER FILE...                  rows of the files, in order, one JSON object a line
//   node read.mjs READER --metadata FILE...       one JSON object a file, see below
//   node read.mjs duckdb --count 'SQL' FILE...    how many rows of all files meet the SQL condition
//
// READER is duckdb, hyparquet or parquet-wasm (Arrow). Equal files give equal bytes whatever the reader:
//   - keys of objects are sorted by UTF-16 code units; members that are null are left out; a group that is there but
//     has none that are not null is {}; null elements of lists and null values of maps are null
//   - a map is an object
//   - a timestamp is an integer: milliseconds since 1970; a 64-bit integer is an integer
//   - a double is in its shortest form that reads back the same, as JavaScript writes it; a whole one has no point
//     (5, 1e+300), minus zero is -0
//   - a column of JSON texts gives strings with those texts
//
// --metadata: {"file","createdBy","rows","groups":[rows of each],"notes":{key:value},
//   "columns":[{"path":[names],"type":physical type,"logical":logical type or null,"converted":…,"statistics":
//   [{"min","max","nulls"} of each row group]}]}; the reader's name does not matter, hyparquet reads it.
//
// What a reader cannot show: DuckDB tells names apart without regard to case and has no empty ones at the top, so it
// renames the second of A and a to a_1 and "" to C0; a file without columns it refuses. DuckDB's and hyparquet's
// JavaScript objects have no member __proto__.
//
// Ends with 1 and a message on stderr when a file is no Parquet. Callers: tests/node/random_rows.py, tests/integ.
import { readFileSync, realpathSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'

const text = new TextDecoder('utf-8', { fatal: true })

/** A scalar as JSON text; `null` for nothing. */
function scalar(value) {
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value)
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return JSON.stringify(value)
  throw new Error(`a value of type ${typeof value}`)
}

/** An object from [key, text or null] pairs; `kept`: nulls are kept. */
function object(pairs, kept) {
  const members = pairs.filter(([, value]) => kept || value !== null)
  members.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return `{${members.map(([key, value]) => `${JSON.stringify(key)}:${value ?? 'null'}`).join(',')}}`
}

const list = (texts) => `[${texts.map((value) => value ?? 'null').join(',')}]`

// --- hyparquet -----------------------------------------------------------------------------------

const isKind = (element, kind) => element.converted_type === kind || element.logical_type?.type === kind

/** The canonical text of a value that hyparquet has assembled for a node of the schema tree. */
function fromHyparquet(value, node) {
  if (value === undefined || value === null) return null
  if (node.children.length === 0) return scalar(value)
  if (isKind(node.element, 'LIST')) {
    const element = node.children[0].children[0]
    return list(value.map((each) => fromHyparquet(each, element)))
  }
  if (isKind(node.element, 'MAP')) {
    const inner = node.children[0].children[1]
    return object(Object.entries(value).map(([key, each]) => [key, fromHyparquet(each, inner)]), true)
  }
  return object(node.children.map((child) => [child.element.name, fromHyparquet(value[child.element.name], child)]))
}

function load(file) {
  const bytes = readFileSync(file)
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
}

async function* readHyparquet(file) {
  const { parquetMetadata, parquetReadObjects, parquetSchema } = await import('hyparquet')
  const { compressors } = await import('hyparquet-compressors')
  const buffer = load(file)
  const metadata = parquetMetadata(buffer)
  const root = parquetSchema(metadata)
  const parsers = {
    timestampFromMilliseconds: (ms) => ms,
    stringFromBytes: (bytes) => bytes && text.decode(bytes),
    jsonFromBytes: (bytes) => bytes && text.decode(bytes)
  }
  if (root.children.length === 0) {
    // it has no columns to make rows from
    for (let i = 0n; i < metadata.num_rows; i++) yield '{}'
    return
  }
  for (const row of await parquetReadObjects({ file: buffer, metadata, compressors, parsers })) {
    yield fromHyparquet(row, root)
  }
}

// --- duckdb --------------------------------------------------------------------------------------

const quoted = (name) => `'${name.replaceAll("'", "''")}'`

let connection

/** One for all files: making it costs more than reading a small file. */
async function connect() {
  if (connection === undefined) {
    const { DuckDBInstance } = await import('@duckdb/node-api')
    connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect()
    await connection.run("SET TimeZone = 'UTC'")
  }
  return connection
}

/** The canonical text of a DuckDB value of a DuckDB type. */
function fromDuckdb(value, type, ids) {
  if (value === null || value === undefined) return null
  switch (type.typeId) {
    case ids.STRUCT:
      return object(type.entryNames.map((name, i) => [name, fromDuckdb(value.entries[name], type.entryTypes[i], ids)]))
    case ids.LIST:
      return list(value.items.map((each) => fromDuckdb(each, type.valueType, ids)))
    case ids.MAP:
      return object(value.entries.map(({ key, value: each }) => [key, fromDuckdb(each, type.valueType, ids)]), true)
    case ids.TIMESTAMP_TZ:
    case ids.TIMESTAMP:
      return scalar(value.micros / 1000n)
    default:
      return scalar(value)
  }
}

async function* readDuckdb(file) {
  const { DuckDBTypeId } = await import('@duckdb/node-api')
  const result = await (await connect()).stream(`SELECT * FROM read_parquet(${quoted(file)})`)
  const names = result.columnNames()
  const types = result.columnTypes()
  for (let chunk = await result.fetchChunk(); chunk && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
    for (const row of chunk.getRows()) {
      yield object(row.map((value, i) => [names[i], fromDuckdb(value, types[i], DuckDBTypeId)]))
    }
  }
}

async function count(files, condition) {
  const names = files.map(quoted).join(',')
  const sql = `SELECT count(*) FROM read_parquet([${names}]) WHERE ${condition}`
  const reader = await (await connect()).runAndReadAll(sql)
  return String(reader.getRows()[0][0])
}

// --- parquet-wasm --------------------------------------------------------------------------------

/** The canonical text of an Arrow value of an Arrow type. */
function fromArrow(value, type, arrow) {
  if (value === null || value === undefined) return null
  if (arrow.DataType.isList(type)) {
    const texts = []
    for (let i = 0; i < value.length; i++) texts.push(fromArrow(value.get(i), type.children[0].type, arrow))
    return list(texts)
  }
  if (arrow.DataType.isMap(type)) {
    const inner = type.children[0].type.children[1].type
    return object([...value].map(([key, each]) => [key, fromArrow(each, inner, arrow)]), true)
  }
  if (arrow.DataType.isStruct(type)) {
    const members = [...value]
    return object(type.children.map((field, i) => [field.name, fromArrow(members[i][1], field.type, arrow)]))
  }
  return scalar(value)
}

async function* readArrow(file) {
  const wasm = await import('parquet-wasm')
  const arrow = await import('apache-arrow')
  const table = arrow.tableFromIPC(wasm.readParquet(new Uint8Array(load(file))).intoIPCStream())
  for (const batch of table.batches) {
    const columns = table.schema.fields.map((field, i) => ({ field, vector: batch.getChildAt(i) }))
    for (let i = 0; i < batch.numRows; i++) {
      yield object(columns.map(({ field, vector }) => [field.name, fromArrow(vector.get(i), field.type, arrow)]))
    }
  }
}

// --- metadata ------------------------------------------------------------------------------------

function leaves(node, found = []) {
  if (node.children.length === 0 && node.path.length > 0) found.push(node)
  for (const child of node.children) leaves(child, found)
  return found
}

/** A bound as JSON: bytes that are no text would be an error of the writer's. */
function bound(value) {
  if (value instanceof Uint8Array) return text.decode(value)
  if (value instanceof Date) return value.getTime()
  return typeof value === 'bigint' ? Number(value) : value
}

async function metadata(file) {
  const { parquetMetadata, parquetSchema } = await import('hyparquet')
  const footer = parquetMetadata(load(file))
  const groups = footer.row_groups
  const columns = leaves(parquetSchema(footer)).map((leaf, i) => ({
    path: leaf.path,
    type: leaf.element.type,
    logical: leaf.element.logical_type?.type ?? null,
    converted: leaf.element.converted_type ?? null,
    statistics: groups.map((group) => {
      const known = group.columns[i].meta_data.statistics
      return { min: bound(known.min_value), max: bound(known.max_value), nulls: Number(known.null_count) }
    })
  }))
  return JSON.stringify({
    file: basename(file),
    createdBy: footer.created_by,
    rows: Number(footer.num_rows),
    groups: groups.map((group) => Number(group.num_rows)),
    notes: Object.fromEntries((footer.key_value_metadata ?? []).map(({ key, value }) => [key, value])),
    columns
  })
}

// -------------------------------------------------------------------------------------------------

export const readers = { duckdb: readDuckdb, hyparquet: readHyparquet, 'parquet-wasm': readArrow }

async function main([name, ...rest]) {
  const reader = readers[name]
  if (!reader || rest.length === 0) throw new Error('usage: read.mjs duckdb|hyparquet|parquet-wasm [option] FILE...')
  let lines = ''
  const print = async (line) => {
    lines += `${line}\n`
    if (lines.length > 1 << 20) await flush()
  }
  const flush = () => new Promise((resolve, reject) => {
    process.stdout.write(lines, (error) => (error ? reject(error) : resolve()))
    lines = ''
  })
  if (rest[0] === '--count') {
    await print(await count(rest.slice(2), rest[1]))
  } else if (rest[0] === '--metadata') {
    for (const file of rest.slice(1)) await print(await metadata(file))
  } else {
    for (const file of rest) for await (const row of reader(file)) await print(row)
  }
  await flush()
}

// serve.mjs imports the readers
if (realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  main(process.argv.slice(2)).catch((error) => {
    process.stderr.write(`read.mjs: ${error.stack ?? error}\n`)
    process.exit(1)
  })
}
