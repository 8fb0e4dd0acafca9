// serve.mjs: the Parquet readers as a process that stays, for tests/integ/readers.py.
//
// One request a line on standard input, one answer a line on standard output, both JSON:
//   {"rows": READER, "path": P}       -> {"rows": [text, ...]}, the canonical lines of read.mjs
//   {"types": P}                      -> {"types": [[name, TYPE], ...]}, the columns as DuckDB sees them
//   {"notes": P}                      -> {"notes": {key: value}}, the file's own metadata
//   {"query": SQL}                    -> {"values": [[value, ...], ...]}, by DuckDB; integers and texts only
//   anything that fails               -> {"error": text}
// TYPE is "boolean", "integer", "number", "date-time", "string", {"object": [[name, TYPE], ...]}, {"array": TYPE},
// {"map": TYPE}, or DuckDB's own name of the type where the exports of consign have none.
import { createInterface } from 'node:readline';
import { DuckDBInstance, DuckDBTypeId } from '@duckdb/node-api';
import { readers } from './read.mjs';

const SCALARS = new Map([
    [DuckDBTypeId.BOOLEAN, 'boolean'],
    [DuckDBTypeId.BIGINT, 'integer'],
    [DuckDBTypeId.DOUBLE, 'number'],
    [DuckDBTypeId.TIMESTAMP_TZ, 'date-time'],
    [DuckDBTypeId.VARCHAR, 'string'],
]);

const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
const duckdb = await instance.connect();

function quote(text) {
    return `'${text.replaceAll("'", "''")}'`;
}

function typeOf(type) {
    switch (type.typeId) {
    case DuckDBTypeId.STRUCT:
        return { object: type.entryNames.map((name, number) => [name, typeOf(type.entryTypes[number])]) };
    case DuckDBTypeId.LIST:
        return { array: typeOf(type.valueType) };
    case DuckDBTypeId.MAP:
        return typeOf(type.keyType) === 'string' ? { map: typeOf(type.valueType) } : String(type);
    default:
        return SCALARS.get(type.typeId) ?? String(type);
    }
}

async function rows(reader, path) {
    const found = [];
    for await (const row of readers[reader](path)) { found.push(row); }
    return found;
}

async function types(path) {
    const found = await duckdb.runAndReadAll(`SELECT * FROM read_parquet(${quote(path)}) LIMIT 0`);
    const every = found.columnTypes();
    return found.columnNames().map((name, number) => [name, typeOf(every[number])]);
}

async function query(sql) {
    const found = await duckdb.runAndReadAll(sql);
    return found.getRows().map((row) => row.map((value) => (typeof value === 'bigint' ? Number(value) : value)));
}

async function notes(path) {
    const sql = `SELECT decode(key), decode(value) FROM parquet_kv_metadata(${quote(path)})`;
    return Object.fromEntries(await query(sql));
}

async function answer(request) {
    if (request.rows) { return { rows: await rows(request.rows, request.path) }; }
    if (request.types) { return { types: await types(request.types) }; }
    if (request.notes) { return { notes: await notes(request.notes) }; }
    return { values: await query(request.query) };
}

for await (const line of createInterface({ input: process.stdin })) {
    let told;
    try {
        told = await answer(JSON.parse(line));
    } catch (error) {
        told = { error: String(error?.stack ?? error) };
    }
    process.stdout.write(JSON.stringify(told) + '\n');
}
