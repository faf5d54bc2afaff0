using Gateway.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace Gateway.Tests;

/// <summary>How a line of the log looks, and which lines there are.</summary>
public sealed class LogsTests
{
    [Theory]
    [InlineData("text", @"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z warn: Gateway\.Sample\[7\] the key expires soon\n$")]
    [InlineData("json", """^\{"Timestamp":"\d{4}-[^"]+Z","EventId":7,"LogLevel":"Warning","Category":"Gateway.Sample".*\}\n$""")]
    [InlineData("journald", @"^<4>Gateway\.Sample\[7\] the key expires soon\n$")]
    [InlineData("auto", @"^\d{4}-[^ ]+Z warn: ")]
    public void EveryFormatIsOneLineThatItsReaderKnows(string format, string pattern)
    {
        using var services = Build($"format: {format}");
        using var text = new StringWriter();

        services.GetServices<ConsoleFormatter>()
            .Single(one => one.Name == services.GetRequiredService<IOptions<ConsoleLoggerOptions>>().Value.FormatterName)
            .Write(
                new LogEntry<string>(
                    LogLevel.Warning, "Gateway.Sample", new EventId(7), "the key\nexpires soon", null, (state, _) => state),
                null, text);

        text.ToString().Should().MatchRegex(pattern);
        text.ToString().Split('\n').Should().HaveCount(2, "a line break of a stranger would make a line of its own");
    }

    [Theory]
    [InlineData("debug", LogLevel.Debug)]
    [InlineData("info", LogLevel.Information)]
    [InlineData("warning", LogLevel.Warning)]
    [InlineData("error", LogLevel.Error)]
    public void TheLevelIsTheLeastThatIsWritten(string level, LogLevel least)
    {
        using var services = Build($"level: {level}");
        var log = services.GetRequiredService<ILoggerFactory>().CreateLogger("Gateway.Sample");

        Enum.GetValues<LogLevel>().Where(one => one is not LogLevel.None).Where(log.IsEnabled).Min().Should().Be(least);
    }

    [Fact]
    public async Task EachRequestIsALineWithoutItsQueryWhereItIsWanted()
    {
        await using var gateway = await TestGateway.StartAsync(more: "log: {requests: true}");
        await gateway.CallAsAsync("sam", "GET", "/register/hskey-authreq-abcdefghijklmnopqrstuvwx");
        await Until.TrueAsync(() => gateway.Log.Has("GET /register/{"), "the request is a line once it has ended");
        gateway.Log.Has("abcdefghijklmnopqrstuvwx").Should().BeFalse("whoever has the id of a device that waits can let it in");
        using var alice = gateway.AsPerson("alice");
        using var answer = await alice.GetAsync(new Uri("/admin/machines%1b%0anext?search=secret", UriKind.Relative));

        await Until.TrueAsync(() => gateway.Log.Has("GET /admin/machines%1B%0Anext 421"), "the request is a line");
        gateway.Log.All.Should().NotContain(one => one.Contains("secret", StringComparison.Ordinal));
        gateway.Log.All.Should().Contain(one => one.Contains(answer.Headers.GetValues("X-Request-Id").Single(), StringComparison.Ordinal));
    }

    private static ServiceProvider Build(string yaml)
    {
        var settings = Some.Settings($"headscale: {{url: 'http://127.0.0.1:9'}}\nlog: {{{yaml}}}\n").Settings!;
        return new ServiceCollection().AddLogging(logging => Logs.Add(logging, settings.Log)).BuildServiceProvider();
    }
}
