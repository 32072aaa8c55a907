// Walks through the API with the generated client: java ... WalkKt http://127.0.0.1:8000
import java.time.OffsetDateTime
import okhttp3.OkHttpClient
import org.bookbridge.client.apis.*
import org.bookbridge.client.infrastructure.ClientException
import org.bookbridge.client.infrastructure.Serializer
import org.bookbridge.client.models.*

const val PASSWORD = "um-bom-segredo"
const val PAGE = 100
val suffix = ProcessHandle.current().pid()
var calls = 0

/** The calls of one user, or of an anonymous one. */
class Api(baseUrl: String, token: String? = null) {
    private val http = OkHttpClient.Builder().addInterceptor { chain ->
        calls += 1
        val request = chain.request().newBuilder()
        if (token != null) request.header("Authorization", "Bearer $token")
        chain.proceed(request.build())
    }.build()
    val accounts = AccountsApi(baseUrl, http)
    val activity = ActivityApi(baseUrl, http)
    val ballots = BallotsApi(baseUrl, http)
    val books = BooksApi(baseUrl, http)
    val clubs = ClubsApi(baseUrl, http)
    val discussions = DiscussionsApi(baseUrl, http)
    val meetings = MeetingsApi(baseUrl, http)
    val members = MembersApi(baseUrl, http)
    val readingList = ReadingListApi(baseUrl, http)
    val reviews = ReviewsApi(baseUrl, http)
    val statistics = StatisticsApi(baseUrl, http)
}

fun statusOf(call: () -> Any): Int = try { call(); 200 } catch (error: ClientException) { error.statusCode }

/** Follow the README: two people, a club, a book, a discussion, a ballot, a meeting, a review. */
fun walk(baseUrl: String) {
    val open = Api(baseUrl)
    fun register(name: String) =
        Api(baseUrl, open.accounts.register(RegisterRequest(username = "$name-kt-$suffix", password = PASSWORD)).access)
    val ana = register("ana")
    val bento = register("bento")
    val club = ana.clubs.createClub(
        ClubRequest(name = "Sertão", visibility = ClubVisibility.`private`, timezone = "America/Bahia"),
    )
    check(club.myRole == ClubRole.owner)
    check(statusOf { bento.clubs.getClub(club.id) } == 404)
    val code = ana.members.createInvitation(club.id, invitationCreateRequest = InvitationCreateRequest()).code
    check(bento.members.acceptInvitation(InvitationAcceptRequest(code = code)).role == ClubRole.member)
    val mine = ana.clubs.listClubs(mine = true, ordering = ClubsApi.OrderingListClubs.name_ascending)
    check(mine.results.map { it.name } == listOf("Sertão"))

    val request = BookRequest(title = "Torto Arado", author = "Itamar Vieira Junior", isbn = "978-65-80309-31-3")
    check(statusOf { ana.books.createBook(request) } in listOf(200, 409))
    val book = ana.books.listBooks(isbn = "9786580309313").results.single()
    val entry = bento.readingList.createReadingListEntry(club.id, EntryCreateRequest(book = book.id))
    val progress = bento.readingList.setProgress(
        club.id, entry.id, progressRequest = ProgressRequest(page = 131, pageCount = 262),
    )
    check(progress.percent == 50.0)

    val thread = bento.discussions.createThread(
        club.id, ThreadCreateRequest(title = "A faca", body = "Foi Belonísia.", entry = entry.id),
    )
    val reply = PostCreateRequest(body = "Ainda não li.", spoilerPercent = 10.0)
    check(bento.discussions.createThreadPost(club.id, thread.id, reply).spoilerPercent == 10.0)
    val seen = ana.discussions.listThreadPosts(club.id, thread.id).results
    check(seen.map { Triple(it.body, it.locked, it.unlocksAtPercent) } == listOf(Triple(null, true, 50.0), Triple(null, true, 10.0)))

    val other = ana.readingList.createReadingListEntry(club.id, EntryCreateRequest(book = 1))
    val candidates = listOf(entry.id, other.id)
    val ballot = ana.ballots.createBallot(
        club.id,
        BallotCreateRequest(
            title = "Next",
            method = VotingMethod.ranked,
            candidates = candidates,
            closesAt = OffsetDateTime.parse("2099-01-01T00:00:00Z"),
        ),
    )
    val vote = bento.ballots.vote(clubId = club.id, ballotId = ballot.id, voteRequest = VoteRequest(ranking = candidates))
    check(vote.ranking == candidates)
    val result = ana.ballots.closeBallot(clubId = club.id, ballotId = ballot.id).result
    check(result?.outcome == BallotOutcome.winner && result.winner == entry.id)

    val startsAt = OffsetDateTime.parse("2099-01-10T19:00:00-03:00")
    val meeting = ana.meetings.createMeeting(
        club.id,
        MeetingCreateRequest(title = "Torto Arado", startsAt = startsAt, durationMinutes = 90, capacity = 12),
    )
    check(meeting.startsAt.isEqual(startsAt))
    check(bento.meetings.setRsvp(club.id, meeting.id, RsvpUpdateRequest(answer = RsvpAnswer.yes)).answer == RsvpStatus.yes)

    val review = ana.reviews.createReview(
        ReviewCreateRequest(book = book.id, rating = 4.5, body = "Uma lâmina.", containsSpoilers = true),
    )
    check(review.rating == 4.5)
    val statistics = ana.statistics.getClubStatistics(club.id)
    check(statistics.members == 2 && statistics.meanRating == 4.5 && statistics.ratingHistogram["4.5"] == 1)
}

/** Read all lists of a club, if the user is a member. */
fun readClub(id: Long, api: Api) {
    if (api.clubs.getClub(id).myRole == null) return
    api.statistics.getClubStatistics(id)
    api.activity.listClubActivity(id, pageSize = PAGE)
    api.members.listMembers(id, pageSize = PAGE)
    api.meetings.listMeetings(id, pageSize = PAGE)
    api.reviews.listClubReviews(id, pageSize = PAGE)
    api.ballots.listBallots(id, pageSize = PAGE)
    for (entry in api.readingList.listReadingListEntries(id, pageSize = PAGE).results) {
        api.readingList.listMilestones(id, entry.id)
        api.readingList.listProgress(id, entry.id)
    }
    for (thread in api.discussions.listThreads(id, pageSize = PAGE).results) {
        api.discussions.listThreadPosts(id, thread.id, pageSize = PAGE)
    }
}

/** Read what the demo data has of everything. */
fun readDemo(baseUrl: String) {
    val login = Api(baseUrl).accounts.login(LoginRequest(username = "ana.ribeiro", password = PASSWORD))
    val api = Api(baseUrl, login.access)
    check(api.accounts.verifyToken(TokenRequest(token = login.access)).isEmpty())
    val books = api.books.listBooks(pageSize = PAGE, ordering = BooksApi.OrderingListBooks.title_ascending)
    check(books.results.size > 50 && books.next != null)
    for (book in books.results.take(5)) {
        api.books.getBook(book.id)
        api.statistics.getBookStatistics(book.id)
        api.reviews.listBookReviews(book.id)
    }
    for (club in api.clubs.listClubs(pageSize = PAGE).results) readClub(club.id, api)
    api.reviews.listReviews(pageSize = PAGE)
    api.accounts.listUsers(pageSize = PAGE)
    api.accounts.getUser("ana.ribeiro")
    api.accounts.getCurrentUser()
    api.accounts.listSessions()
    api.accounts.getDataExport()
    api.activity.getHome()
    api.activity.listMyActivity()
    api.activity.listNotifications()
    api.activity.getNotificationSettings()
    api.statistics.getMyStatistics()
    api.statistics.getPlatformStatistics()
}

fun main(args: Array<String>) {
    // The server tells a field that is left out from one that is null.
    Serializer.kotlinxSerializationJsonConfiguration = { encodeDefaults = false }
    walk(args[0])
    readDemo(args[0])
    println("$calls calls, each response decoded")
}
