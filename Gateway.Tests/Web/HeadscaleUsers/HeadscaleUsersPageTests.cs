using Gateway.Tests.Support;

namespace Gateway.Tests.Web.HeadscaleUsers;

/// <summary>Headscale's users.</summary>
public sealed class HeadscaleUsersPageTests
{
    [Fact]
    public async Task HeadscaleUsersAreCreatedRenamedAndDeletedByWhoMay()
    {
        await using var gateway = await TestGateway.StartAsync();
        using var ivan = gateway.BrowserOf("ivan");
        using var vera = gateway.BrowserOf("vera");

        (await ivan.SubmitAsync("/admin/users/headscale", "/admin/users/headscale", ("name", "new-one"), ("display_name", "New One"),
            ("email", ""))).Location.Should()
            .Be("/admin/users/headscale?done=create");
        var made = gateway.Headscale.Tailnet.Users.Single(one => one.Name == "new-one");
        (await ivan.GetAsync("/admin/users/headscale?q=new-one")).Text.Should().Contain($"new-one ({made.Id})");
        (await ivan.SubmitAsync($"/admin/users/headscale/{made.Id}", $"/admin/users/headscale/{made.Id}/rename",
            ("name", "newer"))).Location.Should()
            .Be($"/admin/users/headscale/{made.Id}?done=rename");
        gateway.Headscale.Tailnet.Users.Single(one => one.Id == made.Id).Name.Should().Be("newer");

        var page = await vera.GetAsync($"/admin/users/headscale/{made.Id}");
        (page.Status, page.Text.Contains("<form method=\"post\" action=\"/admin/users", StringComparison.Ordinal)).Should()
            .Be((200, false));
        (await vera.GetAsync("/admin/users/headscale")).Text.Should().NotContain("Create a Headscale user");
        (await vera.SubmitAsync("/admin/login", "/admin/users/headscale", ("name", "mine"))).Status.Should().Be(403);
        (await vera.SubmitAsync("/admin/login", $"/admin/users/headscale/{made.Id}/delete")).Status.Should().Be(403);

        (await ivan.SubmitAsync($"/admin/users/headscale/{made.Id}", $"/admin/users/headscale/{made.Id}/delete")).Location.Should()
            .Be("/admin/users/headscale?done=delete");
        gateway.Headscale.Tailnet.Users.Should().NotContain(one => one.Id == made.Id);
        (await ivan.GetAsync($"/admin/users/headscale/{made.Id}")).Status.Should().Be(404);
        (await gateway.StopAndReadAuditAsync()).Where(one => one.Method is not "GET").Select(one => $"{one.Row} {one.Status} {one.After}")
            .Should()
            .Equal(
                ["users.create 200 displayName: New One, name: new-one", "users.rename 200 ", "users.create 403 ", "users.delete 403 ",
                    "users.delete 200 "]);
    }
}
