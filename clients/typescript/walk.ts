// Walks through the API with the generated client: node walk.ts http://127.0.0.1:8000
import assert from "node:assert/strict";
import createClient, { type Client } from "openapi-fetch";
import type { paths } from "../build/typescript/bookbridge.ts";

const baseUrl = process.argv[2] ?? "http://127.0.0.1:8000";
const password = "um-bom-segredo";
const suffix = `${process.pid}`;
let calls = 0;

type Api = Client<paths>;

/** Return a client of the signed-in user, or an anonymous one. */
function client(token?: string): Api {
  return createClient<paths>({ baseUrl, headers: token === undefined ? {} : { Authorization: `Bearer ${token}` } });
}

/** Return the data of a response, or throw its problem. */
function ok<T>(result: { data?: T; error?: unknown; response: Response }): T {
  calls += 1;
  if (result.data === undefined) {
    throw new Error(`${result.response.url}: ${result.response.status} ${JSON.stringify(result.error)}`);
  }
  return result.data;
}

/** Follow the README: two people, a club, a book, a discussion, a ballot, a meeting, a review. */
async function walk(): Promise<void> {
  const open = client();
  const register = async (name: string) =>
    ok(await open.POST("/api/v1/auth/register/", { body: { username: `${name}-ts-${suffix}`, password, language: "pt-BR" } }));
  const ana = client((await register("ana")).access);
  const registered = await register("bento");
  const bento = client(registered.access);
  assert.equal(registered.club, null);
  ok(await open.POST("/api/v1/auth/verify/", { body: { token: registered.access } }));

  const club = ok(await ana.POST("/api/v1/clubs/", { body: { name: "Sertão", visibility: "private", timezone: "America/Bahia" } }));
  const club_id = club.id;
  const path = { club_id };
  assert.equal(club.my_role, "owner");
  const hidden = await bento.GET("/api/v1/clubs/{club_id}/", { params: { path } });
  assert.equal(hidden.error?.code, "not_found");
  const { code } = ok(await ana.POST("/api/v1/clubs/{club_id}/invites/", { params: { path }, body: {} }));
  assert.equal(ok(await bento.POST("/api/v1/invites/accept/", { body: { code } })).role, "member");
  const clubs = ok(await ana.GET("/api/v1/clubs/", { params: { query: { mine: true, ordering: "name" } } }));
  assert.deepEqual(clubs.results.map(({ name }) => name), ["Sertão"]);

  const isbn = "978-65-80309-31-3";
  const added = await ana.POST("/api/v1/books/", { body: { title: "Torto Arado", author: "Itamar Vieira Junior", isbn } });
  if (added.error !== undefined) assert.equal(added.error.code, "duplicate_isbn");
  const book = added.data ?? added.error?.book;
  assert(book);
  const entry = ok(await bento.POST("/api/v1/clubs/{club_id}/books/", { params: { path }, body: { book: book.id } }));
  const entryPath = { ...path, entry_id: entry.id };
  const progress = await bento.PUT("/api/v1/clubs/{club_id}/books/{entry_id}/progress/", { params: { path: entryPath }, body: { page: 131, page_count: 262 } });
  assert.equal(ok(progress).percent, 50);

  const thread = ok(
    await bento.POST("/api/v1/clubs/{club_id}/threads/", { params: { path }, body: { title: "A faca", body: "Foi Belonísia.", entry: entry.id } }),
  );
  const threadPath = { ...path, thread_id: thread.id };
  const reply = { body: "Ainda não li.", spoiler_percent: 10 };
  const post = ok(await bento.POST("/api/v1/clubs/{club_id}/threads/{thread_id}/posts/", { params: { path: threadPath }, body: reply }));
  assert.equal(post.spoiler_percent, 10);
  const seen = ok(await ana.GET("/api/v1/clubs/{club_id}/threads/{thread_id}/posts/", { params: { path: threadPath } }));
  assert.deepEqual(seen.results.map(({ body, locked, unlocks_at_percent }) => [body, locked, unlocks_at_percent]), [[null, true, 50], [null, true, 10]]);

  const other = ok(await ana.POST("/api/v1/clubs/{club_id}/books/", { params: { path }, body: { book: 1 } }));
  const candidates = [entry.id, other.id];
  const ballot = ok(
    await ana.POST("/api/v1/clubs/{club_id}/ballots/", { params: { path }, body: { title: "Next", method: "ranked", candidates, closes_at: "2099-01-01T00:00:00Z" } }),
  );
  const ballotPath = { ...path, ballot_id: ballot.id };
  const vote = ok(await bento.PUT("/api/v1/clubs/{club_id}/ballots/{ballot_id}/vote/", { params: { path: ballotPath }, body: { ranking: candidates } }));
  assert.deepEqual(vote.ranking, candidates);
  const closed = ok(await ana.POST("/api/v1/clubs/{club_id}/ballots/{ballot_id}/close/", { params: { path: ballotPath } }));
  assert.equal(closed.result?.outcome, "winner");
  assert.equal(closed.result?.winner, entry.id);

  const meeting = ok(
    await ana.POST("/api/v1/clubs/{club_id}/meetings/", { params: { path }, body: { title: "Torto Arado", starts_at: "2099-01-10T19:00:00-03:00", duration_minutes: 90, capacity: 12 } }),
  );
  assert.equal(meeting.starts_at, "2099-01-10T22:00:00Z");
  const rsvp = await bento.PUT("/api/v1/clubs/{club_id}/meetings/{meeting_id}/rsvp/", { params: { path: { ...path, meeting_id: meeting.id } }, body: { answer: "yes" } });
  assert.equal(ok(rsvp).answer, "yes");

  const review = ok(await ana.POST("/api/v1/reviews/", { body: { book: book.id, rating: 4.5, body: "Uma lâmina.", contains_spoilers: true } }));
  assert.equal(review.rating, 4.5);
  const statistics = ok(await ana.GET("/api/v1/clubs/{club_id}/stats/", { params: { path } }));
  assert.deepEqual([statistics.members, statistics.mean_rating, statistics.rating_histogram["4.5"]], [2, 4.5, 1]);
}

/** Read what the demo data has of everything. */
async function readDemo(): Promise<void> {
  const login = ok(await client().POST("/api/v1/auth/login/", { body: { username: "ana.ribeiro", password } }));
  const api = client(login.access);
  const query = { page_size: 100 };
  const books = ok(await api.GET("/api/v1/books/", { params: { query: { ...query, ordering: "title" } } }));
  assert(books.results.length > 50 && books.next !== null);
  for (const { id } of books.results.slice(0, 5)) {
    const path = { book_id: id };
    assert.equal(typeof ok(await api.GET("/api/v1/books/{book_id}/", { params: { path } })).title, "string");
    ok(await api.GET("/api/v1/books/{book_id}/stats/", { params: { path } }));
    ok(await api.GET("/api/v1/books/{book_id}/reviews/", { params: { path } }));
  }
  for (const { id } of ok(await api.GET("/api/v1/clubs/", { params: { query } })).results) {
    const params = { path: { club_id: id }, query };
    const path = { club_id: id };
    if (ok(await api.GET("/api/v1/clubs/{club_id}/", { params: { path } })).my_role === null) continue;
    ok(await api.GET("/api/v1/clubs/{club_id}/stats/", { params: { path } }));
    ok(await api.GET("/api/v1/clubs/{club_id}/activity/", { params }));
    ok(await api.GET("/api/v1/clubs/{club_id}/members/", { params }));
    ok(await api.GET("/api/v1/clubs/{club_id}/meetings/", { params }));
    ok(await api.GET("/api/v1/clubs/{club_id}/reviews/", { params }));
    for (const ballot of ok(await api.GET("/api/v1/clubs/{club_id}/ballots/", { params })).results) {
      assert(ballot.result === null || ballot.result.rounds.length >= 0);
    }
    for (const entry of ok(await api.GET("/api/v1/clubs/{club_id}/books/", { params })).results) {
      const entryParams = { path: { ...path, entry_id: entry.id } };
      ok(await api.GET("/api/v1/clubs/{club_id}/books/{entry_id}/milestones/", { params: entryParams }));
      ok(await api.GET("/api/v1/clubs/{club_id}/books/{entry_id}/progress/", { params: entryParams }));
    }
    for (const thread of ok(await api.GET("/api/v1/clubs/{club_id}/threads/", { params })).results) {
      ok(await api.GET("/api/v1/clubs/{club_id}/threads/{thread_id}/posts/", { params: { path: { ...path, thread_id: thread.id } } }));
    }
  }
  ok(await api.GET("/api/v1/stats/"));
  ok(await api.GET("/api/v1/reviews/", { params: { query } }));
  ok(await api.GET("/api/v1/users/", { params: { query } }));
  ok(await api.GET("/api/v1/users/{username}/", { params: { path: { username: "ana.ribeiro" } } }));
  ok(await api.GET("/api/v1/users/me/"));
  ok(await api.GET("/api/v1/users/me/home/"));
  ok(await api.GET("/api/v1/users/me/stats/"));
  ok(await api.GET("/api/v1/users/me/activity/"));
  ok(await api.GET("/api/v1/users/me/notifications/"));
  ok(await api.GET("/api/v1/users/me/notification-settings/"));
  ok(await api.GET("/api/v1/users/me/export/"));
  ok(await api.GET("/api/v1/auth/sessions/"));
}

await walk();
await readDemo();
console.log(`${calls} responses decoded`);
