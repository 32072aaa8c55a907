// Walks through the API with the generated client: walk http://127.0.0.1:8000
import BookBridge
import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

let password = "um-bom-segredo"
let page = 100
let suffix = ProcessInfo.processInfo.processIdentifier

struct Mismatch: Error {
    let line: UInt
}

func check(_ holds: Bool, line: UInt = #line) throws {
    if !holds { throw Mismatch(line: line) }
}

/// Counts the requests of all users.
final class Calls: OpenAPIInterceptor, @unchecked Sendable {
    private let lock = NSLock()
    private var number = 0

    var count: Int { lock.withLock { number } }

    func intercept<T>(
        urlRequest: URLRequest, urlSession: URLSessionProtocol, requestBuilder: RequestBuilder<T>,
        completion: @Sendable @escaping (Result<URLRequest, any Error>) -> Void
    ) {
        lock.withLock { number += 1 }
        completion(.success(urlRequest))
    }

    func retry<T>(
        urlRequest: URLRequest, urlSession: URLSessionProtocol, requestBuilder: RequestBuilder<T>, data: Data?,
        response: URLResponse?, error: Error, completion: @Sendable @escaping (OpenAPIInterceptorRetry) -> Void
    ) {
        completion(.dontRetry)
    }
}

let calls = Calls()

/// The configuration for the calls of one user, or of an anonymous one.
func user(_ baseURL: String, token: String? = nil) -> BookBridgeAPIConfiguration {
    BookBridgeAPIConfiguration(
        basePath: baseURL, customHeaders: token.map { ["Authorization": "Bearer \($0)"] } ?? [:],
        apiResponseQueue: .global(), interceptor: calls)
}

func status<T>(_ call: () async throws -> T) async throws -> Int {
    do {
        _ = try await call()
        return 200
    } catch ErrorResponse.error(let code, _, _, _) {
        return code
    }
}

func moment(_ text: String) -> Date {
    ISO8601DateFormatter().date(from: text)!
}

/// Follow the README: two people, a club, a book, a discussion, a ballot, a meeting, a review.
func walk(_ baseURL: String) async throws {
    let open = user(baseURL)
    func register(_ name: String) async throws -> BookBridgeAPIConfiguration {
        let request = RegisterRequest(username: "\(name)-sw-\(suffix)", password: password)
        return user(
            baseURL, token: try await AccountsAPI.register(registerRequest: request, apiConfiguration: open).access)
    }
    let ana = try await register("ana")
    let bento = try await register("bento")
    let club = try await ClubsAPI.createClub(
        clubRequest: ClubRequest(name: "Sertão", visibility: ._private, timezone: "America/Bahia"), apiConfiguration: ana)
    try check(club.myRole == .owner)
    try check(try await status { try await ClubsAPI.getClub(clubId: club.id, apiConfiguration: bento) } == 404)
    let code = try await MembersAPI.createInvitation(
        clubId: club.id, invitationCreateRequest: InvitationCreateRequest(), apiConfiguration: ana
    ).code
    let membership = try await MembersAPI.acceptInvitation(
        invitationAcceptRequest: InvitationAcceptRequest(code: code), apiConfiguration: bento)
    try check(membership.role == .member)
    let mine = try await ClubsAPI.listClubs(mine: true, ordering: .name_ascending, apiConfiguration: ana)
    try check(mine.results.map(\.name) == ["Sertão"])

    let request = BookRequest(title: "Torto Arado", author: "Itamar Vieira Junior", isbn: "978-65-80309-31-3")
    let created = try await status { try await BooksAPI.createBook(bookRequest: request, apiConfiguration: ana) }
    try check(created == 200 || created == 409)
    let book = try await BooksAPI.listBooks(isbn: "9786580309313", apiConfiguration: ana).results[0]
    let entry = try await ReadingListAPI.createReadingListEntry(
        clubId: club.id, entryCreateRequest: EntryCreateRequest(book: book.id), apiConfiguration: bento)
    let progress = try await ReadingListAPI.setProgress(
        clubId: club.id, entryId: entry.id, progressRequest: ProgressRequest(page: 131, pageCount: 262),
        apiConfiguration: bento)
    try check(progress.percent == 50)

    let thread = try await DiscussionsAPI.createThread(
        clubId: club.id,
        threadCreateRequest: ThreadCreateRequest(title: "A faca", body: "Foi Belonísia.", entry: entry.id),
        apiConfiguration: bento)
    let reply = try await DiscussionsAPI.createThreadPost(
        clubId: club.id, threadId: thread.id,
        postCreateRequest: PostCreateRequest(spoilerPercent: 10, body: "Ainda não li."), apiConfiguration: bento)
    try check(reply.spoilerPercent == 10)
    let seen = try await DiscussionsAPI.listThreadPosts(clubId: club.id, threadId: thread.id, apiConfiguration: ana).results
    try check(seen.allSatisfy { $0.body == nil && $0.locked } && seen.map(\.unlocksAtPercent) == [50, 10])

    let startsOn = OpenAPIDateWithoutTime(wrappedDate: moment("2026-03-02T00:00:00Z"), timezone: .gmt)
    let other = try await ReadingListAPI.createReadingListEntry(
        clubId: club.id, entryCreateRequest: EntryCreateRequest(book: 1, startsOn: startsOn), apiConfiguration: ana)
    try check(other.startsOn?.wrappedDate == startsOn.wrappedDate)
    let candidates = [entry.id, other.id]
    let ballot = try await BallotsAPI.createBallot(
        clubId: club.id,
        ballotCreateRequest: BallotCreateRequest(
            title: "Next", method: .ranked, candidates: candidates, closesAt: moment("2099-01-01T00:00:00Z")),
        apiConfiguration: ana)
    let vote = try await BallotsAPI.vote(
        ballotId: ballot.id, clubId: club.id, voteRequest: VoteRequest(ranking: candidates), apiConfiguration: bento)
    try check(vote.ranking == candidates)
    let result = try await BallotsAPI.closeBallot(ballotId: ballot.id, clubId: club.id, apiConfiguration: ana).result
    try check(result?.outcome == .winner && result?.winner == entry.id)

    let startsAt = moment("2099-01-10T19:00:00-03:00")
    let meeting = try await MeetingsAPI.createMeeting(
        clubId: club.id,
        meetingCreateRequest: MeetingCreateRequest(
            title: "Torto Arado", durationMinutes: 90, capacity: 12, startsAt: startsAt),
        apiConfiguration: ana)
    try check(meeting.startsAt == startsAt)
    let answer = try await MeetingsAPI.setRsvp(
        clubId: club.id, meetingId: meeting.id, rsvpUpdateRequest: RsvpUpdateRequest(answer: .yes), apiConfiguration: bento)
    try check(answer.answer == .yes)

    let review = try await ReviewsAPI.createReview(
        reviewCreateRequest: ReviewCreateRequest(
            book: book.id, rating: 4.5, body: "Uma lâmina.", containsSpoilers: true),
        apiConfiguration: ana)
    try check(review.rating == 4.5)
    let statistics = try await StatisticsAPI.getClubStatistics(clubId: club.id, apiConfiguration: ana)
    try check(statistics.members == 2 && statistics.meanRating == 4.5 && statistics.ratingHistogram["4.5"] == 1)
}

/// Read all lists of a club, if the user is a member.
func readClub(_ id: Int64, _ ana: BookBridgeAPIConfiguration) async throws {
    if try await ClubsAPI.getClub(clubId: id, apiConfiguration: ana).myRole == nil { return }
    _ = try await StatisticsAPI.getClubStatistics(clubId: id, apiConfiguration: ana)
    _ = try await ActivityAPI.listClubActivity(clubId: id, pageSize: page, apiConfiguration: ana)
    _ = try await MembersAPI.listMembers(clubId: id, pageSize: page, apiConfiguration: ana)
    _ = try await MeetingsAPI.listMeetings(clubId: id, pageSize: page, apiConfiguration: ana)
    _ = try await ReviewsAPI.listClubReviews(clubId: id, pageSize: page, apiConfiguration: ana)
    _ = try await BallotsAPI.listBallots(clubId: id, pageSize: page, apiConfiguration: ana)
    let entries = try await ReadingListAPI.listReadingListEntries(clubId: id, pageSize: page, apiConfiguration: ana)
    for entry in entries.results {
        _ = try await ReadingListAPI.listMilestones(clubId: id, entryId: entry.id, apiConfiguration: ana)
        _ = try await ReadingListAPI.listProgress(clubId: id, entryId: entry.id, apiConfiguration: ana)
    }
    for thread in try await DiscussionsAPI.listThreads(clubId: id, pageSize: page, apiConfiguration: ana).results {
        _ = try await DiscussionsAPI.listThreadPosts(
            clubId: id, threadId: thread.id, pageSize: page, apiConfiguration: ana)
    }
}

/// Read what the demo data has of everything.
func readDemo(_ baseURL: String) async throws {
    let login = try await AccountsAPI.login(
        loginRequest: LoginRequest(username: "ana.ribeiro", password: password), apiConfiguration: user(baseURL))
    let ana = user(baseURL, token: login.access)
    let verified = try await AccountsAPI.verifyToken(tokenRequest: TokenRequest(token: login.access), apiConfiguration: ana)
    try check(verified.isEmpty)
    let books = try await BooksAPI.listBooks(ordering: .title_ascending, pageSize: page, apiConfiguration: ana)
    try check(books.results.count > 50 && books.next != nil)
    for book in books.results.prefix(5) {
        _ = try await BooksAPI.getBook(bookId: book.id, apiConfiguration: ana)
        _ = try await StatisticsAPI.getBookStatistics(bookId: book.id, apiConfiguration: ana)
        _ = try await ReviewsAPI.listBookReviews(bookId: book.id, apiConfiguration: ana)
    }
    for club in try await ClubsAPI.listClubs(pageSize: page, apiConfiguration: ana).results {
        try await readClub(club.id, ana)
    }
    _ = try await ReviewsAPI.listReviews(pageSize: page, apiConfiguration: ana)
    _ = try await AccountsAPI.listUsers(pageSize: page, apiConfiguration: ana)
    _ = try await AccountsAPI.getUser(username: "ana.ribeiro", apiConfiguration: ana)
    _ = try await AccountsAPI.getCurrentUser(apiConfiguration: ana)
    _ = try await AccountsAPI.listSessions(apiConfiguration: ana)
    _ = try await AccountsAPI.getDataExport(apiConfiguration: ana)
    _ = try await ActivityAPI.getHome(apiConfiguration: ana)
    _ = try await ActivityAPI.listMyActivity(apiConfiguration: ana)
    _ = try await ActivityAPI.listNotifications(apiConfiguration: ana)
    _ = try await ActivityAPI.getNotificationSettings(apiConfiguration: ana)
    _ = try await StatisticsAPI.getMyStatistics(apiConfiguration: ana)
    _ = try await StatisticsAPI.getPlatformStatistics(apiConfiguration: ana)
}

@main
struct Walk {
    static func main() async throws {
        let baseURL = CommandLine.arguments[1]
        try await walk(baseURL)
        try await readDemo(baseURL)
        print("\(calls.count) calls, each response decoded")
    }
}
